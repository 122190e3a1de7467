"""Importing files of each shape: what is stored, and what the report says."""

import json
from pathlib import Path

import pytest
from importing_files import MESSAGES, TALK, numbered, stored, summaries, write, write_jsonl

from arf_core import importing
from arf_core.errors import InputError
from arf_core.importing import ImportReport, ImportSettings, TableMapping, load
from arf_core.project import Project
from arf_core.records import Conversation, System, digest, fingerprint_of
from arf_core.store.filters import slices_of

OTHER = [("customer", "Where is my order?"), ("agent", "It left our store today.")]


def only(report: ImportReport) -> TableMapping:
    assert len(report.mappings) == 1
    return report.mappings[0]


# -- shapes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "turns",
    [
        [{"speaker": s, "text": t} for s, t in TALK],
        [{"role": s, "content": t} for s, t in TALK],
        [{"from": s, "value": t} for s, t in TALK],
        [{"author": {"role": s}, "message": t} for s, t in TALK],
        [[s, t] for s, t in TALK],
        [f"{s.title()}: {t}" for s, t in TALK],
        {"speaker": [s for s, _ in TALK], "text": [t for _, t in TALK]},
        json.dumps([{"speaker": s, "text": t} for s, t in TALK]),
        repr([{"speaker": s, "text": t} for s, t in TALK]),
    ],
    ids=["speaker", "role", "from", "nested author", "pairs", "strings", "columns", "json", "repr"],
)
def test_nested_turns_are_read_in_every_form(
    project: Project, tmp_path: Path, turns: object
) -> None:
    file = write_jsonl(tmp_path / "chats.jsonl", [{"id": "c1", "dialogue": turns}])
    report = load(project, file)
    assert only(report).shape == "turns"
    assert stored(project) == {"c1": TALK}


def test_bare_strings_as_turns_get_their_sides_by_inference(
    project: Project, tmp_path: Path
) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [{"id": "c", "turns": [t for _, t in TALK]}])
    report = load(project, file)
    assert stored(project) == {"c": TALK}
    assert report.speakers.inferred_conversations == 1
    assert any("inferred" in note for note in report.notes)


def test_system_messages_of_chat_format_are_left_out_and_said(
    project: Project, tmp_path: Path
) -> None:
    messages = [
        {"role": "system", "content": "You are helpful."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": [{"type": "text", "text": "Hi there"}]},
    ]
    report = load(project, write_jsonl(tmp_path / "a.jsonl", [{"messages": messages}]))
    assert stored(project) == {"a.jsonl:1": [("customer", "Hello"), ("bot", "Hi there")]}
    assert any("1 system messages were left out" in note for note in report.notes)


def test_a_system_that_talks_to_a_user_is_a_bot(project: Project, tmp_path: Path) -> None:
    turns = [{"speaker": "USER", "text": "A table"}, {"speaker": "SYSTEM", "text": "For how many?"}]
    load(project, write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "turns": turns}]))
    assert stored(project) == {"1": [("customer", "A table"), ("bot", "For how many?")]}


def test_lines_of_speaker_and_words_make_turns(project: Project, tmp_path: Path) -> None:
    more = "".join(f"\n{'Customer' if n % 2 else 'Agent'}: {n}" for n in range(12))
    rows = [
        {
            "id": 1,
            "transcript": f"Agent: Good day.\nHow are you?\nCustomer: At 10:30, see:\nx{more}",
        },
        {"id": 2, "transcript": "Customer: Hi\r\nAgent: Note: we close at 5.\nHint: ring first."},
    ]
    report = load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    assert only(report).shape == "lines"
    found = stored(project)
    assert found["1"][:2] == [
        ("agent", "Good day.\nHow are you?"),
        ("customer", "At 10:30, see:\nx"),
    ]
    assert len(found["1"]) == 14
    assert found["2"] == [
        ("customer", "Hi"),
        ("agent", "Note: we close at 5.\nHint: ring first."),
    ]
    assert any("'hint' at the start of a line" in note for note in report.notes)


def test_names_as_labels_are_kept_and_the_report_says_how_to_map_them(
    project: Project, tmp_path: Path
) -> None:
    rows = [{"dialogue": "#Person1#: Hello\n#Person2#: Hi"}, {"dialogue": "Anna: Yes?\nBen: No."}]
    report = load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    assert list(stored(project).values()) == [
        [("#Person1#", "Hello"), ("#Person2#", "Hi")],
        [("Anna", "Yes?"), ("Ben", "No.")],
    ]
    assert report.speakers.kept_labels == 4
    assert any("--speaker" in note for note in report.notes)


@pytest.mark.parametrize("mark", ["<BR>", "|||", "</s>", "[SEP]", "__eou__"])
def test_turns_joined_by_a_mark_are_split(project: Project, tmp_path: Path, mark: str) -> None:
    text = f" {mark} ".join(t for _, t in TALK)
    csv = f'inputs,summaries\n"{text} {mark}",A lamp was broken and is replaced.\n'
    report = load(project, write(tmp_path / "chats.csv", csv))
    assert only(report).shape == "delimited"
    assert only(report).delimiter == mark
    assert stored(project) == {"chats.csv:2": TALK}
    assert list(summaries(project).values()) == ["A lamp was broken and is replaced."]


def test_joined_turns_may_have_labels(project: Project, tmp_path: Path) -> None:
    text = " <BR> ".join(f"{s.upper()}: {t}" for s, t in TALK)
    load(project, write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "chat": text}]))
    assert stored(project) == {"1": TALK}


def test_messages_are_gathered_by_conversation_and_ordered_by_time(
    project: Project, tmp_path: Path
) -> None:
    report = load(project, write(tmp_path / "m.csv", MESSAGES))
    assert only(report).shape == "messages"
    assert stored(project) == {"b": OTHER, "a": TALK}
    assert list(stored(project)) == ["b", "a"], "the order of the file"
    found = project.store.all(Conversation)
    assert [c.attributes for c in found] == [{"channel": "phone"}, {"channel": "chat"}]
    assert str(found[0].turns[0].at) == "2024-01-02 10:00:00"


def test_messages_without_a_time_are_ordered_by_their_index(
    project: Project, tmp_path: Path
) -> None:
    text = (
        "dialogue_id;turn_index;role;utterance\n7;2;agent;Yes, we do.\n7;1;user;Do you sell oil?\n"
    )
    load(project, write(tmp_path / "m.csv", text))
    assert stored(project) == {"7": [("customer", "Do you sell oil?"), ("agent", "Yes, we do.")]}


def test_zones_are_honoured_when_messages_are_ordered(project: Project, tmp_path: Path) -> None:
    text = (
        "conversation_id,time,speaker,text\n"
        "1,2024-01-01T12:00:00+02:00,customer,I am first\n"
        "1,2024-01-01T11:00:00+00:00,agent,I am second\n"
    )
    load(project, write(tmp_path / "m.csv", text))
    assert [t for _, t in stored(project)["1"]] == ["I am first", "I am second"]


THREADS = """tweet_id,author_id,inbound,created_at,text,in_response_to_tweet_id
2,acme,False,Tue Oct 31 22:01:00 +0000 2017,@9 We are sorry,1.0
1,9,True,Tue Oct 31 22:00:00 +0000 2017,@acme it is broken,
3,9,True,Tue Oct 31 22:02:00 +0000 2017,@acme thank you,2.0
4,acme,False,Tue Oct 31 22:03:00 +0000 2017,@8 Which order is it?,99.0
5,7,True,Tue Oct 31 22:04:00 +0000 2017,@acme circle one,6.0
6,acme,False,Tue Oct 31 22:05:00 +0000 2017,@7 circle two,5.0
"""


def test_threads_are_put_together_from_parents(project: Project, tmp_path: Path) -> None:
    report = load(project, write(tmp_path / "t.csv", THREADS))
    assert only(report).shape == "threads"
    assert stored(project) == {
        "1": [
            ("customer", "@acme it is broken"),
            ("agent", "@9 We are sorry"),
            ("customer", "@acme thank you"),
        ],
        "4": [("agent", "@8 Which order is it?")],
    }
    assert any("1 messages answer one that is not in the file" in n for n in report.notes)
    assert [(r.line, r.reason) for r in report.rejected] == [
        (6, "messages answer each other in a circle"),
        (7, "messages answer each other in a circle"),
    ]


def test_a_thread_that_branches_is_one_conversation_in_the_order_of_time(
    project: Project, tmp_path: Path
) -> None:
    rows = [
        {
            "id": "a",
            "parent_id": None,
            "author": "user",
            "text": "root is here",
            "time": 1700000000,
        },
        {"id": "b", "parent_id": "a", "author": "agent", "text": "left branch", "time": 1700000020},
        {
            "id": "c",
            "parent_id": "a",
            "author": "agent",
            "text": "right branch",
            "time": 1700000010,
        },
        {"id": "d", "parent_id": "b", "author": "user", "text": "left leaf", "time": 1700000015},
    ]
    load(project, write_jsonl(tmp_path / "t.jsonl", rows))
    assert [t for _, t in stored(project)["a"]] == [
        "root is here",
        "right branch",
        "left leaf",
        "left branch",
    ]


def test_a_file_of_messages_and_one_of_conversations_are_linked(
    project: Project, tmp_path: Path
) -> None:
    messages = write(tmp_path / "messages.csv", MESSAGES)
    about = write(
        tmp_path / "conversations.csv",
        "id,product,summary\na,lamp,A lamp was broken.\nb,sofa,\nzz,desk,Nobody knows me.\n",
    )
    report = load(project, [about, messages])
    assert {m.shape for m in report.mappings} == {"linked", "messages"}
    assert summaries(project) == {("a", "teacher"): "A lamp was broken."}
    found = {c.external_id: c.attributes for c in project.store.all(Conversation)}
    assert found == {
        "a": {"channel": "chat", "product": "lamp"},
        "b": {"channel": "phone", "product": "sofa"},
    }
    assert report.without_summary == 1
    assert [(r.file, r.line, r.reason) for r in report.rejected] == [
        ("conversations.csv", 4, "a summary of an unknown conversation")
    ]


def test_summaries_come_in_a_later_file_of_their_own(project: Project, tmp_path: Path) -> None:
    load(project, write(tmp_path / "messages.csv", MESSAGES))
    later = write(tmp_path / "gpt.csv", "conversation_id,summary\na,A lamp.\nq,Nobody at all.\n")
    report = load(project, later, system="gpt")
    assert summaries(project) == {("a", "gpt"): "A lamp."}
    assert report.rejected_by_reason == {"a summary of an unknown conversation": 1}
    assert load(project, later, system="gpt").summaries_known == 1


def test_documents_become_conversations_of_one_turn_and_it_is_said(
    project: Project, tmp_path: Path
) -> None:
    rows = [{"id": "d", "document": "A storm took the bridge.", "summary": "A bridge is gone."}]
    report = load(project, write_jsonl(tmp_path / "d.jsonl", rows))
    assert stored(project) == {"d": [("document", "A storm took the bridge.")]}
    assert any("no dialogues" in note for note in report.notes)


# -- mapping -------------------------------------------------------------------------------------


def test_every_column_chosen_has_a_reason(tmp_path: Path) -> None:
    seen = importing.preview(write(tmp_path / "m.csv", MESSAGES))
    mapping = seen.mappings[0]
    assert {r.field for r in mapping.reasons} >= {"shape", *mapping.columns}
    assert all(r.why for r in mapping.reasons)


def test_columns_with_foreign_names_can_be_mapped(project: Project, tmp_path: Path) -> None:
    text = "vorgang,wer,wort\n1,Kunde,Das Paket fehlt.\n1,Berater,Wir suchen es.\n"
    file = write(tmp_path / "m.csv", text)
    with pytest.raises(InputError, match="vorgang, wer, wort") as caught:
        load(project, file)
    assert "--map" in caught.value.hint
    columns = {"conversation_id": "vorgang", "speaker": "wer", "text": "wort"}
    speakers = {"Kunde": "customer", "Berater": "agent"}
    load(project, file, columns=columns, speakers=speakers)
    assert stored(project) == {"1": [("customer", "Das Paket fehlt."), ("agent", "Wir suchen es.")]}


def test_an_impossible_column_names_those_that_exist(project: Project, tmp_path: Path) -> None:
    file = write(tmp_path / "m.csv", MESSAGES)
    with pytest.raises(InputError, match="no column 'body'") as caught:
        load(project, file, columns={"text": "body"})
    assert "conversation_id, created_at, speaker, channel, text" in caught.value.hint


def test_an_impossible_shape_says_what_it_needs(project: Project, tmp_path: Path) -> None:
    file = write(tmp_path / "m.csv", MESSAGES)
    with pytest.raises(InputError, match="threads") as caught:
        load(project, file, shape="threads")
    assert "--map parent_id=COLUMN" in caught.value.hint


def test_a_guess_can_be_taken_away(project: Project, tmp_path: Path) -> None:
    rows = [{"id": "1", "dialogue": [{"speaker": "a", "text": "x"}], "reference": "A word or two."}]
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    load(project, file, columns={"reference_summary": ""})
    assert summaries(project) == {}


def test_the_delimiter_and_the_keys_of_turns_can_be_given(project: Project, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "chat": "Hi there ~~ Hello ~~ Bye now"}])
    load(project, file, shape="delimited", delimiter="~~")
    assert [t for _, t in stored(project)["1"]] == ["Hi there", "Hello", "Bye now"]
    rows = [{"id": "2", "turns": [{"wer": "Kunde", "was": "Hallo Welt"}]}]
    file = write_jsonl(tmp_path / "b.jsonl", rows)
    keys = {"turns": "turns", "turn_speaker": "wer", "turn_text": "was"}
    load(project, file, columns=keys, speakers={"Kunde": "customer"})
    assert stored(project)["2"] == [("customer", "Hallo Welt")]


@pytest.mark.parametrize(
    "wrong", [{"columns": {"nonsense": "a"}}, {"speakers": {"a": "boss"}}, {"shape": "round"}]
)
def test_options_that_do_not_fit_are_told(project: Project, wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="do not fit"):
        load(project, "nowhere.csv", **wrong)


def test_columns_that_cannot_be_sliced_by_are_left_out_and_said(
    project: Project, tmp_path: Path
) -> None:
    rows = [
        {
            "id": f"c{n}",
            "turns": [{"speaker": "user", "text": f"text {n}"}],
            "channel": ["chat", "phone"][n % 2],
            "hash": f"{n:08x}",
            "essay": "long " * 40,
            "nothing": None,
            "tags": ["a", "b"],
            "meta": {"product": "lamp", "vip": n % 3 == 0},
        }
        for n in range(30)
    ]
    report = load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    assert set(only(report).attributes) == {"channel", "meta.product", "meta.vip"}
    assert set(only(report).left_out) == {"hash", "essay", "nothing", "tags"}
    kept = {c.external_id: c.attributes for c in project.store.all(Conversation)}
    assert kept["c0"] == {"channel": "chat", "meta.product": "lamp", "meta.vip": True}
    assert slices_of(project.store, "meta.vip").groups[0].label == "false"


def test_attributes_can_be_chosen(project: Project, tmp_path: Path) -> None:
    file = write(tmp_path / "m.csv", MESSAGES)
    load(project, file, attributes=())
    assert all(c.attributes == {} for c in project.store.all(Conversation))
    with pytest.raises(InputError, match="nowhere"):
        load(project, file, attributes=("nowhere",))


# -- ids, duplicates, summaries -------------------------------------------------------------------


def test_ids_follow_from_the_source_and_the_files_own_id(project: Project, tmp_path: Path) -> None:
    load(project, write(tmp_path / "m.csv", MESSAGES))
    for c in project.store.all(Conversation):
        assert c.source == "m"
        assert c.id == digest("m", c.external_id)
        assert c.fingerprint == fingerprint_of(c.turns)


def test_importing_again_changes_nothing(project: Project, tmp_path: Path) -> None:
    rows = [{"id": "1", "turns": [list(t) for t in TALK], "summary": "A broken lamp."}]
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    load(project, file)
    before = project.store.revision()
    report = load(project, file)
    assert project.store.revision() == before
    assert (report.conversations, report.duplicates, report.summaries_known) == (0, 1, 1)


def test_the_same_conversation_twice_is_one_and_its_summaries_meet(
    project: Project, tmp_path: Path
) -> None:
    turns = [list(t) for t in TALK]
    rows = [
        {"id": "x1", "turns": turns, "summary": "By the first.", "summary_model": "bart"},
        {"id": "x2", "turns": turns, "summary": "By the second.", "summary_model": "t5"},
        {"id": "x3", "turns": turns, "summary": "Another by bart.", "summary_model": "bart"},
    ]
    report = load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    assert summaries(project) == {("x1", "bart"): "By the first.", ("x1", "t5"): "By the second."}
    assert report.duplicates == 1
    assert [(d.line, d.same_as) for d in report.duplicate_rows] == [(2, "x1")]
    assert [(r.line, r.reason) for r in report.rejected] == [
        (3, "a second summary of the same conversation by the same system")
    ]


def test_the_same_id_with_other_words_is_rejected(project: Project, tmp_path: Path) -> None:
    rows = [{"id": "1", "turns": [list(t) for t in turns]} for turns in (TALK, OTHER)]
    report = load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    assert stored(project) == {"1": TALK}
    assert [(r.line, r.reason) for r in report.rejected] == [
        (2, "another conversation has the same id")
    ]


def test_a_message_id_that_occurs_twice_counts_once(project: Project, tmp_path: Path) -> None:
    text = (
        "conversation_id,message_id,speaker,text\n"
        "1,m1,customer,Hello there\n1,m1,customer,Hello there\n1,m2,agent,Hi\n1,m2,agent,Other\n"
        + "".join(f"2,n{i},customer,more {i}\n" for i in range(30))
    )
    report = load(project, write(tmp_path / "m.csv", text))
    assert stored(project)["1"] == [("customer", "Hello there"), ("agent", "Hi")]
    assert any("1 messages stood in the file twice" in n for n in report.notes)
    assert [(r.line, r.seen) for r in report.rejected] == [(5, "m2")]


def test_systems_have_the_kind_that_fits(project: Project, tmp_path: Path) -> None:
    turns = [list(t) for t in TALK]
    rows = [
        {"id": "1", "turns": turns, "summary": "One two.", "model": "gpt-4o", "reference": "A b."},
        {"id": "2", "turns": turns, "summary": "Two three.", "model": "human_ref", "reference": ""},
    ]
    load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    kinds = {s.name: s.kind for s in project.store.all(System)}
    assert kinds == {"gpt-4o": "teacher", "human_ref": "reference", "reference": "reference"}


def test_a_model_column_about_phones_names_no_system(project: Project, tmp_path: Path) -> None:
    rows = [{"id": "1", "turns": [list(t) for t in TALK], "summary": "One two.", "model": "P-30"}]
    load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    assert [s.name for s in project.store.all(System)] == ["teacher"]
    assert project.store.all(Conversation)[0].attributes == {"model": "P-30"}


# -- splits --------------------------------------------------------------------------------------


def test_a_files_own_split_is_honoured_and_others_are_kept_as_labels(
    project: Project, tmp_path: Path
) -> None:
    labels = ["training", "valid", "TEST", "gold"]
    rows = [numbered(n, split=label) for n, label in enumerate(labels)]
    report = load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    found = project.store.all(Conversation)
    assert [c.split for c in found[:3]] == ["train", "dev", "test"]
    assert found[3].attributes == {"split_label": "gold"}
    assert any("split_label" in note for note in report.notes)


def test_files_named_after_splits_say_the_split_and_one_alone_does_not(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    for n, name in enumerate(["train", "test"]):
        write_jsonl(folder / f"{name}.jsonl", [numbered(n * 100 + i) for i in range(20)])
    assert load(project, folder).splits == {"train": 20, "test": 20}
    alone = write_jsonl(tmp_path / "my_test.jsonl", [numbered(1000 + i) for i in range(40)])
    assert set(load(project, alone).splits) >= {"train", "test"}


def test_shares_of_the_split_follow_the_settings(project: Project, tmp_path: Path) -> None:
    report = load(project, write_jsonl(tmp_path / "a.jsonl", [numbered(n) for n in range(1000)]))
    assert report.splits["train"] == pytest.approx(700, abs=60)
    assert report.splits["dev"] == pytest.approx(100, abs=40)
    assert report.splits["test"] == pytest.approx(200, abs=50)


def test_near_duplicates_share_a_split_now_and_later(project: Project, tmp_path: Path) -> None:
    def variant(n: int, suffix: str) -> dict[str, object]:
        words = " ".join(f"w{n}x{i}" for i in range(200)) + " " + suffix
        return {"id": f"{n}{suffix}", "turns": [{"speaker": "user", "text": words}]}

    load(project, write_jsonl(tmp_path / "a.jsonl", [variant(n, "one") for n in range(60)]))
    load(project, write_jsonl(tmp_path / "b.jsonl", [variant(n, "two") for n in range(60)]))
    splits = {c.external_id: c.split for c in project.store.all(Conversation)}
    assert len(set(splits.values())) == 3
    assert all(splits[f"{n}one"] == splits[f"{n}two"] for n in range(60))


def test_a_leak_between_train_and_test_is_reported(project: Project, tmp_path: Path) -> None:
    rows = [numbered(1, split="train"), numbered(2, split="train")]
    rows.append(numbered(1, split="test") | {"id": "again"})
    almost = numbered(2, split="test")
    almost["turns"][0]["text"] += " almost"
    rows.append(almost | {"id": "almost"})
    report = load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    assert report.leaks == 2
    assert any(note.startswith("Leak: 2 ") for note in report.notes)


# -- speakers ------------------------------------------------------------------------------------


def test_a_cue_corrects_the_alternation(project: Project, tmp_path: Path) -> None:
    text = " <BR> ".join(
        [
            "AcmeSupport my phone is dead",
            "AcmeSupport and nobody answers",
            "Sorry to hear that! Please DM us your order number.",
            "We are here to help.",
            "AcmeSupport done",
        ]
    )
    load(project, write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "chat": text}]))
    roles = [s for s, _ in stored(project)["1"]]
    assert roles == ["customer", "customer", "agent", "agent", "customer"]


@pytest.mark.parametrize(
    ("column", "values", "roles"),
    [
        ("inbound", ["True", "False"], ["customer", "agent"]),
        ("direction", ["outgoing", "incoming"], ["agent", "customer"]),
        ("is_agent", ["0", "1"], ["customer", "agent"]),
        ("sender_type", ["Advisor", "END_USER"], ["agent", "customer"]),
    ],
)
def test_sides_are_known_by_usual_columns(
    project: Project, tmp_path: Path, column: str, values: list[str], roles: list[str]
) -> None:
    rows = "".join(f"1,{v},some words {n}\n" for n, v in enumerate(values))
    load(project, write(tmp_path / "m.csv", f"conversation_id,{column},text\n{rows}"))
    assert [s for s, _ in stored(project)["1"]] == roles


def test_a_label_that_nobody_has_is_said(project: Project, tmp_path: Path) -> None:
    report = load(project, write(tmp_path / "m.csv", MESSAGES), speakers={"Bob": "agent"})
    assert "No speaker is called 'Bob'." in report.notes


# -- preview, report, limit, safety ---------------------------------------------------------------


def test_a_preview_shows_what_an_import_stores_and_writes_nothing(
    project: Project, tmp_path: Path
) -> None:
    file = write(tmp_path / "m.csv", MESSAGES)
    before = sorted(tmp_path.rglob("*"))
    seen = importing.preview(file, rows=1, shares=project.settings.split)
    assert sorted(tmp_path.rglob("*")) == before
    load(project, file)
    assert seen.conversations == project.store.all(Conversation)[:1]


def test_the_report_accounts_for_every_row_and_survives_json(
    project: Project, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.jsonl"
    text = MESSAGES + "a,short row\n,2024-01-01T10:00:00,agent,chat,no id\n"
    report = load(project, write(tmp_path / "m.csv", text), rejects_to=rejects)
    assert report.read == 6
    assert report.messages == 4
    assert [r.line for r in report.rejected] == [6, 7]
    assert [json.loads(x)["line"] for x in rejects.read_text().splitlines()] == [6, 7]
    assert ImportReport.model_validate_json(report.model_dump_json()) == report
    assert report.turns is not None
    assert report.turns.median == 2


def test_a_limit_takes_the_first_conversations(project: Project, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [numbered(n) for n in range(50)])
    assert load(project, file, limit=7).conversations == 7
    assert list(stored(project)) == [f"c{n}" for n in range(7)]
    other = write(tmp_path / "m.csv", MESSAGES)
    assert load(project, other, limit=1).conversations == 1


def test_progress_tells_rows_and_conversations(project: Project, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    importing.load(
        project, write(tmp_path / "m.csv", MESSAGES), progress=lambda *args: told.append(args)
    )
    assert [t[:2] for t in told] == [("reading", 4), ("storing", 2)]


def test_an_import_that_was_killed_while_storing_is_finished_by_the_next(
    project: Project, tmp_path: Path
) -> None:
    rows = [numbered(n, summary=f"Summary number {n}.") for n in range(1700)]
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    whole = Project.create(tmp_path / "whole")
    load(whole, file)

    class KilledError(Exception):
        pass

    def kill(what: str, done: int, of: int) -> None:
        if what == "storing" and done >= 1000:
            raise KilledError

    with pytest.raises(KilledError):
        importing.load(project, file, progress=kill)
    assert len(stored(project)) == 1000
    report = load(project, file)
    assert (report.duplicates, report.conversations) == (1000, 700)
    assert project.store.all(Conversation) == whole.store.all(Conversation)
    assert summaries(project) == summaries(whole)


def test_a_fault_late_in_the_file_leaves_the_store_untouched(
    project: Project, tmp_path: Path
) -> None:
    rows = "".join(json.dumps(numbered(n)) + "\n" for n in range(3000)).encode()
    file = tmp_path / "a.jsonl"
    file.write_bytes(rows + b'{"id": "caf\xe9"}\n')
    before = project.store.revision()
    with pytest.raises(InputError, match="line 3001"):
        load(project, file)
    assert project.store.revision() == before
    assert not list(project.path.glob(".import-*")), "the staging is gone"


def test_nothing_at_all_taken_is_an_error_with_the_reasons(
    project: Project, tmp_path: Path
) -> None:
    rows = [{"id": str(n), "turns": [{"speaker": "a", "text": " "}]} for n in range(3)]
    with pytest.raises(InputError, match="3 × the conversation has no text"):
        load(project, write_jsonl(tmp_path / "a.jsonl", rows))


def test_options_as_a_record_and_as_keywords_are_the_same(project: Project, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [numbered(1, summary="Two words.")])
    load(project, file, ImportSettings(source="mine", system="gpt"))
    assert load(project, file, source="mine", system="gpt").summaries_known == 1
