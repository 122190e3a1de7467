import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from items import add_items, make_item, with_model
from scripted_server import Scripted, ScriptedServer
from test_models_of_a_project import set_in

from arf_core.analysis.analyze import analyze
from arf_core.models import Reply, Request
from arf_core.models.cost import ledger
from arf_core.models.masking import LABELS, Mask, mask, unmask
from arf_core.models.providers.batch import read_replies, write_requests
from arf_core.project import Project
from arf_core.store.findings import finding_rows

PRIVATE = {
    "EMAIL": "ana.silva@example.com",
    "CARD": "4000 0012 3456 7899",
    "PHONE": "+44 20 7946 0958",
    "ORDER": "AB-77/1201-X",
    "ADDRESS": "14 Rose Lane",
}
TURNS = [
    f"customer: I am Ana, {PRIVATE['EMAIL']}, card {PRIVATE['CARD']}, order {PRIVATE['ORDER']}.",
    f"agent: We deliver to {PRIVATE['ADDRESS']} and call {PRIVATE['PHONE']} on 12 May.",
]
SUMMARY = (
    f"Ana ({PRIVATE['EMAIL']}) asks for order {PRIVATE['ORDER']}, which comes to her on 13 May."
)


def request(*texts: str, schema: dict | None = None) -> Request:
    messages = tuple({"role": "user", "content": t} for t in texts)
    return Request(task="t", conversation="c", subject="s", messages=messages, schema_=schema)


def test_each_kind_is_masked_and_figures_that_matter_stay() -> None:
    out = mask(request(*TURNS, SUMMARY))
    text = "\n".join(m["content"] for m in out.messages)
    for label, value in PRIVATE.items():
        assert value not in text, label
        assert f"[{label}_1]" in text, label
    assert "12 May" in text
    assert "13 May" in text
    assert text.count("[ORDER_1]") == 2


@pytest.mark.parametrize(
    "value",
    [
        "0800 298 0298",
        "john_doe99",
        "kate1987",
        "ft058972",
        "AB12-99X",
        "12ab34",
        "1234567ab",
        "88-1201",
    ],
)
def test_codes_are_masked_whole_though_the_rules_take_them_for_something_else(value: str) -> None:
    (message,) = mask(request(f"It is {value}, she says.")).messages
    assert message["content"] == "It is [ORDER_1], she says."


@pytest.mark.parametrize("words", ["3pm-4pm", "1h30m", "14-day", "3rd", "100GB", "10:30", "$42.50"])
def test_times_measures_and_money_are_not_masked(words: str) -> None:
    (message,) = mask(request(f"It is {words}.")).messages
    assert message["content"] == f"It is {words}."


def test_equal_values_written_in_two_ways_are_seen_to_be_equal() -> None:
    (message,) = mask(request("order AB-7712, again AB7712, and AB-7713")).messages
    assert message["content"] == "order [ORDER_1], again [ORDER_1b], and [ORDER_2]"


SPICE = st.sampled_from(
    [*PRIVATE.values(), "[EMAIL_1]", "[ORDER_1001]", "[", "_1]", '"', "\\", "\n", " "]
)
TEXT = st.lists(SPICE | st.text(alphabet=st.characters(codec="utf-8"), max_size=12)).map("".join)


@given(TEXT, TEXT)
def test_what_was_masked_is_unmasked_exactly(first: str, second: str) -> None:
    asked = request(first, second)
    for before, after in zip(asked.messages, mask(asked).messages, strict=True):
        assert unmask(Reply(text=after["content"]), asked).text == before["content"]


@given(TEXT)
def test_in_a_json_reply_too(text: str) -> None:
    asked = request(text, schema={})
    (message,) = mask(asked).messages
    reply = Reply(text=json.dumps({"quote": message["content"]}))
    assert json.loads(unmask(reply, asked).text) == {"quote": text}


def test_placeholders_that_a_text_brings_along_are_left_alone() -> None:
    asked = request("She wrote [EMAIL_1] in her mail from bob@example.org.")
    (message,) = mask(asked).messages
    assert "[EMAIL_1]" in message["content"]
    assert "[EMAIL_1001]" in message["content"]
    assert (
        unmask(Reply(text="[EMAIL_1] and [EMAIL_1001]"), asked).text
        == "[EMAIL_1] and bob@example.org"
    )


def test_every_kind_that_the_rules_know_has_a_label() -> None:
    from arf_core.checks import personal

    assert len(personal._KINDS) >= 9
    assert {kind.name for kind in personal._KINDS} | {"order"} == set(LABELS)
    assert Mask(set()).mask("nothing private") == "nothing private"


def reading(quote: str) -> str:
    finding = {
        "category": "personal_data",
        "quote": quote,
        "turns": [0],
        "explanation": f"{quote} stands there.",
    }
    return json.dumps({"facts": [], "findings": [finding]})


@pytest.mark.parametrize("on", [True, False])
def test_nothing_private_reaches_the_server_and_findings_point_at_the_real_words(
    project: Project, on: bool
) -> None:
    add_items(project, [make_item("ana", TURNS, SUMMARY)])
    quote = "[EMAIL_1]" if on else PRIVATE["EMAIL"]
    with ScriptedServer(lambda body, n: Scripted(reading(quote))) as server:
        project = set_in(with_model(project, "a", server.url), privacy={"mask": on})
        assert analyze(project, system="teacher", detector="llm", model="a").done == 1
        sent = json.dumps(server.requests, ensure_ascii=False)
    assert [value in sent for value in PRIVATE.values()] == [not on] * len(PRIVATE)
    (row,) = finding_rows(project.store, "teacher")
    assert row.quote == PRIVATE["EMAIL"]
    assert SUMMARY[row.start : row.end] == row.quote
    assert row.explanation == f"{PRIVATE['EMAIL']} stands there."
    assert {e.masked for e in ledger(project.store)} == {on}


def test_batch_files_hold_nothing_private_either(project: Project, tmp_path: Path) -> None:
    add_items(project, [make_item("ana", TURNS, SUMMARY)])
    settings = {"models": {"night": {"provider": "batch", "model": "m"}}, "privacy": {"mask": True}}
    project = set_in(project, **settings)
    analyze(project, system="teacher", detector="llm", model="night")
    file = tmp_path / "out.jsonl"
    assert write_requests(project.store, file) == 1
    assert not [v for v in PRIVATE.values() if v in file.read_text(encoding="utf-8")]
    choice = {"message": {"content": reading("[EMAIL_1]")}, "finish_reason": "stop"}
    body = {
        "custom_id": json.loads(file.read_text())["custom_id"],
        "response": {"body": {"choices": [choice]}},
    }
    (tmp_path / "in.jsonl").write_text(json.dumps(body))
    read_replies(project.store, tmp_path / "in.jsonl")
    assert analyze(project, system="teacher", detector="llm", model="night").done == 1
    (row,) = finding_rows(project.store, "teacher")
    assert row.quote == PRIVATE["EMAIL"]
