"""The page Data: files come in, are looked at, and are read."""

import csv
import io
import time
from pathlib import Path

import pytest
from running_app import pick, settled, shown
from streamlit.testing.v1 import AppTest

from arf_core.importing import ImportReport, load
from arf_core.jobs import queue as jobs
from arf_core.jobs.kinds import ImportJob
from arf_core.project import Project
from arf_core.records import Conversation

PAGE = "pages/1_Data.py"
PATIENCE_MS = 60_000
"""Of the browser: two jobs run in between, perhaps on a busy machine."""
CHATS = """conversation_id,sent,who,channel,message,summary
c1,2024-05-01T10:00:00,customer,chat,My lamp came broken. I paid 42.50.,"{first}"
c1,2024-05-01T10:00:40,agent,chat,I will refund 42.50 within five days.,"{first}"
c2,2024-05-02T09:00:00,customer,phone,Where is my parcel?,A parcel comes tomorrow.
c2,2024-05-02T09:00:30,agent,phone,It comes tomorrow.,A parcel comes tomorrow.
=cmd|c3,2024-05-03T09:00:00,customer,chat,,
""".format(first="The lamp came broken. A refund of 45.20 was promised.")


def said(at: AppTest) -> str:
    return shown(at).replace("\\", "")


def errors(at: AppTest) -> str:
    return " ".join(e.value for e in at.error).replace("\\", "")


def upload(at: AppTest, text: str = CHATS, name: str = "chats.csv") -> AppTest:
    uploader = at.file_uploader[0]
    return uploader.upload(name, text.encode(), "text/csv").run()


def wait_for_jobs(path: Path) -> list[jobs.Job]:
    """The jobs of a project, when all have ended, those that followed too."""
    end = time.monotonic() + 60
    with Project.open(path) as project:
        while time.monotonic() < end:
            listed = jobs.jobs(project.store)
            last_said = [j for j in listed if j.kind == "import" and j.state == "done"]
            followed = {j.follows for j in listed}
            if not any(j.is_open for j in listed) and {j.id for j in last_said} <= followed:
                return listed
            time.sleep(0.2)
    raise AssertionError("the jobs do not end")


# -- looking --------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["Overview", "Conversations", "Import"])
def test_every_part_opens_by_its_address(open_app, sample: Path, part: str) -> None:
    at = open_app(sample, PAGE, part=part)
    assert not at.exception
    assert not at.error
    assert len(said(at)) > 100


def test_the_overview_counts_what_is_there(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE)
    figures = {m.label.replace("\\", ""): m.value for m in at.metric}
    assert figures["Conversations"] == "120"
    assert figures["Summaries by Teacher"] == figures["Summaries by Corrected (r1)"] == "120"
    assert at.selectbox(key="by").options[0] == "channel"
    at.selectbox(key="by").select("source").run()
    assert not at.exception


def test_an_empty_project_asks_for_files(open_app, empty_project: Path) -> None:
    at = open_app(empty_project, PAGE)
    assert not at.exception
    assert len(at.file_uploader) == 1
    assert "The column mapping is guessed" in said(at)
    assert not at.tabs


def test_a_conversation_opens_by_its_address_and_steps_by_buttons(open_app, sample: Path) -> None:
    with Project.open(sample) as project:
        chats = project.store.all(Conversation)
    at = open_app(sample, PAGE, conversation="agent-10")
    assert "agent-10" in said(at)
    here = [c.external_id for c in chats].index("agent-10")
    assert f"{here + 1} of 120" in said(at)
    at.button(key="reader-next").click().run()
    assert chats[here + 1].turns[0].text[:40] in said(at)
    at.button(key="reader-previous").click().run()
    at.button(key="reader-previous").click().run()
    assert f"{here} of 120" in said(at)


def test_words_are_searched_for_and_the_address_keeps_them(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE, part="Conversations", q="refund")
    assert "1 of 16" in said(at)
    at.text_input(key="q").input("no such words at all").run()
    assert "Nothing found" in said(at)
    assert not at.exception
    at.text_input(key="q").input("mail-30").run()
    assert "1 of 1" in said(at)


def test_findings_are_marked_without_any_model(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE, conversation="agent-10")
    assert at.selectbox(key="reader-detector").options[0] == "reader (LLM)"
    at.selectbox(key="reader-detector").select("rules").run()
    assert not at.exception
    assert "Teacher" in said(at)


def test_an_address_that_leads_nowhere_says_so(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE, conversation="gone")
    assert "no conversation 'gone'" in errors(at)
    at.button(key="reader-first").click().run()
    assert not at.error


# -- bringing in ----------------------------------------------------------------------------------


def test_a_file_is_looked_at_changed_undone_imported_and_read_by_the_rules(
    open_app, empty_project: Path
) -> None:
    at = upload(open_app(empty_project, PAGE))
    assert at.selectbox(key="map-text").value == "message"
    assert at.selectbox(key="map-shape").value == "messages"
    assert "its name says so" in said(at)
    assert "My lamp came broken" in said(at)
    at.selectbox(key="map-summary").select(None).run()
    assert "No summary." in said(at)
    assert "--map summary=" in at.code[0].value
    at.selectbox(key="map-time").select(None).run()
    at.button(key="mapping-undo").click().run()
    assert at.selectbox(key="map-time").value == "sent"
    at.button(key="mapping-undo").click().run()
    assert at.selectbox(key="map-summary").value == "summary"
    assert "mapping-undo" not in [b.key for b in at.button]
    at.button(key="import-now").click().run()
    assert not at.exception
    imported, read = sorted(wait_for_jobs(empty_project), key=lambda j: j.kind != "import")
    assert (imported.kind, read.kind, read.follows) == ("import", "analyze", imported.id)
    at = open_app(empty_project, PAGE, part="Import")
    figures = {m.label: m.value for m in at.metric}
    assert (figures["Conversations"], figures["Rejected rows"]) == ("2", "1")
    assert "1 × the conversation has no text" in said(at)
    assert "**1 of 2** summaries by Teacher" in said(at)
    assert "Connect a model" in said(at)


def test_rejected_rows_are_saved_with_formulas_defused(tmp_path: Path) -> None:
    from ui.data.import_report import rejects_csv

    with Project.create(tmp_path / "p") as project:
        (tmp_path / "x.csv").write_text(CHATS)
        report = load(project, tmp_path / "x.csv", rejects_to=tmp_path / "rejects.jsonl")
    assert report.rejected
    rows = list(
        csv.reader(io.StringIO(rejects_csv(tmp_path / "rejects.jsonl").decode("utf-8-sig")))
    )
    assert rows[0] == ["file", "line", "reason", "seen"]
    assert rows[1][3] == "'=cmd|c3"


def test_a_path_on_this_machine_is_taken_as_well(
    open_app, empty_project: Path, tmp_path: Path
) -> None:
    (tmp_path / "chats.csv").write_text(CHATS)
    at = open_app(empty_project, PAGE)
    at.text_input(key="import-path-0").input(str(tmp_path / "chats.csv")).run()
    assert at.selectbox(key="map-text").value == "message"
    at.text_input(key="import-path-0").input(str(tmp_path / "gone.csv")).run()
    assert "There is no file" in errors(at)
    at.button(key="import-over").click().run()
    assert not at.error
    assert not at.exception


def test_starting_over_keeps_nothing_of_what_was_uploaded(open_app, empty_project: Path) -> None:
    at = upload(open_app(empty_project, PAGE))
    assert len(list(empty_project.glob("uploads/*/chats.csv"))) == 1
    at.button(key="import-over").click().run()
    assert not list(empty_project.glob("uploads/*/*"))
    assert "import-now" not in [b.key for b in at.button]


def test_an_upload_that_cannot_be_kept_is_told(open_app, empty_project: Path) -> None:
    (empty_project / "uploads").write_text("a file where the folder would be")
    at = upload(open_app(empty_project, PAGE))
    assert not at.exception
    assert "uploads" in errors(at)


def test_a_file_that_cannot_be_read_is_told_and_nothing_is_stored(
    open_app, empty_project: Path
) -> None:
    at = upload(open_app(empty_project, PAGE), "%PDF-1.4 no table", "a.csv")
    assert "is a PDF" in errors(at)
    assert "Export the data as CSV" in errors(at)
    assert "import-now" not in [b.key for b in at.button]
    with Project.open(empty_project) as project:
        assert jobs.jobs(project.store) == []


def test_columns_that_say_nothing_can_still_be_chosen_by_menu(
    open_app, empty_project: Path
) -> None:
    rows = "a,b\n" + "\n".join(f"{i},{'x' * (i % 3)}" for i in range(30))
    at = upload(open_app(empty_project, PAGE), rows, "odd.csv")
    assert at.error
    assert at.button(key="import-now").disabled
    at.selectbox(key="map-shape").select("document").run()
    at.selectbox(key="map-document").select("b").run()
    assert not at.exception


def test_labels_are_given_a_side_and_attributes_are_chosen(open_app, empty_project: Path) -> None:
    text = CHATS.replace(",agent,", ",Ana,")
    at = upload(open_app(empty_project, PAGE), text)
    assert at.selectbox(key="speaker-Ana").value is None
    assert "speakers are kept as they are called" in said(at)
    assert "--" not in said(at)  # the page has menus for what a command has flags for
    at.selectbox(key="speaker-Ana").select("agent").run()
    assert "--speaker Ana=agent" in at.code[0].value
    at.multiselect(key="map-attributes").set_value([]).run()
    assert "--attributes none" in at.code[0].value
    at.text_input(key="option-system").input("gpt-4o").run()
    assert "--system gpt-4o" in at.code[0].value
    at.text_input(key="option-system").input("").run()
    assert "--system" not in at.code[0].value
    at.number_input(key="option-limit").set_value(1).run()
    assert "--limit 1" in at.code[0].value
    at.number_input(key="option-limit").set_value(None).run()
    assert "--limit" not in at.code[0].value
    for _ in range(6):
        at.button(key="mapping-undo").click().run()
    assert "mapping-undo" not in [b.key for b in at.button]
    assert at.multiselect(key="map-attributes").value == ["channel"]


def test_two_files_that_belong_together_are_read_together(open_app, empty_project: Path) -> None:
    messages = "\n".join(line.rsplit(",", 1)[0] for line in CHATS.splitlines()[3:5])
    head = "conversation_id,sent,who,channel,message\n"
    summaries = "conversation_id,summary\nc2,A parcel comes tomorrow.\n"
    at = open_app(empty_project, PAGE)
    at.file_uploader[0].upload("messages.csv", (head + messages).encode(), "text/csv")
    at.file_uploader[0].upload("summaries.csv", summaries.encode(), "text/csv")
    at.run()
    assert not at.exception
    assert "First rows of messages.csv" in said(at)
    assert "First rows of summaries.csv" in said(at)
    assert "A parcel comes tomorrow." in said(at)


def test_a_file_without_summaries_is_welcome(open_app, empty_project: Path) -> None:
    text = "\n".join(line.rsplit(",", 1)[0] for line in CHATS.splitlines()[:3] if line)
    text = text.replace(',"The lamp came broken. A refund of 45.20 was promised."', "")
    (empty_project / "in.csv").write_text(text.replace(",summary", ""))
    with Project.open(empty_project) as project:
        report: ImportReport = load(project, empty_project / "in.csv")
    assert (report.conversations, report.summaries) == (1, 0)
    at = open_app(empty_project, PAGE)
    assert not at.exception
    assert "There are no summaries yet" in said(at)
    at = open_app(empty_project, PAGE, part="Conversations")
    assert "This conversation has no summary yet" in said(at)


def test_what_is_prepared_belongs_to_its_project(
    open_app, empty_project: Path, sample: Path
) -> None:
    at = upload(open_app(empty_project, PAGE))
    assert at.button(key="import-now")
    at.query_params["project"] = str(sample)
    at.query_params["part"] = "Import"
    at.run()
    assert "import-now" not in [b.key for b in at.button]


def test_an_import_beside_another_is_refused_with_the_reason(
    open_app, empty_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_spawn", lambda *_: None)  # it stays at work as long as we look
    at = upload(open_app(empty_project, PAGE))
    with Project.open(empty_project) as project:
        jobs.start(project, ImportJob(files=("other.csv",)))
    at.button(key="import-now").click().run()
    assert "cannot start while" in errors(at)
    assert at.button(key="import-now")  # what was prepared is still there


def test_hostile_names_are_shown_as_text(open_app, empty_project: Path) -> None:
    bad = "<img src=x onerror=alert(1)>"
    head = f'conversation_id,who,"{bad}",message,summary\n'
    rows = [
        f"{bad}{i // 2},{(bad, 'agent')[i % 2]},=1+1,**hi** [x](javascript:alert(1)),$x$ {bad}\n"
        for i in range(60)
    ]
    at = upload(open_app(empty_project, PAGE), head + "".join(rows), "[x](http://y) <b>.csv")
    assert not at.exception
    assert at.selectbox(key="map-text").value == "message"
    assert f"speaker-{bad}" in [s.key for s in at.selectbox]
    at.button(key="import-now").click().run()
    wait_for_jobs(empty_project)
    for part in ("Overview", "Conversations", "Import"):
        at = open_app(empty_project, PAGE, part=part)
        assert not at.exception
        assert bad not in shown_html(at)


def shown_html(at: AppTest) -> str:
    """The HTML that the page drew, as it was written."""
    return "".join(getattr(e.proto, "body", "") for e in at.main if e.type == "html")


# -- in a real browser ----------------------------------------------------------------------------


@pytest.mark.browser
def test_from_a_dropped_file_to_findings_by_the_rules(
    server, empty_project: Path, page, tmp_path: Path
) -> None:
    page.set_default_timeout(PATIENCE_MS)
    (tmp_path / "chats.csv").write_text(CHATS)
    page.goto(server.url(empty_project, "Data"))
    page.set_input_files("input[type=file]", str(tmp_path / "chats.csv"))
    page.get_by_text("Preview of the first conversations").wait_for()
    page.get_by_text("its name says so, and it holds moments").wait_for()
    pick(page, ".st-key-map-summary", "none")
    page.get_by_text("No summary.").wait_for()
    page.get_by_role("button", name="Undo: Summary").click()
    page.get_by_text("Summary by Teacher").wait_for()
    page.get_by_role("button", name="Import files").click()
    page.get_by_text("Import report").wait_for()
    page.get_by_text("1 × the conversation has no text").wait_for()
    page.get_by_text("summaries by Teacher: 1 finding.").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download all as CSV").click()
    assert b"'=cmd|c3" in Path(saved.value.path()).read_bytes()


@pytest.mark.browser
def test_conversations_are_gone_through_by_keyboard_and_have_addresses(
    server, sample: Path, page
) -> None:
    page.set_default_timeout(PATIENCE_MS)
    page.goto(server.url(sample, "Data", part="Conversations", q="refund"))
    page.get_by_text("1 of 16").wait_for()
    for key, place in (("j", 2), ("j", 3), ("k", 2)):
        page.locator(".st-key-reader-next button").wait_for()
        settled(page)
        page.wait_for_timeout(300)  # keys are listened to a moment after their buttons are drawn
        page.keyboard.press(key)
        page.get_by_text(f"{place} of 16").wait_for()
    settled(page)  # the place is drawn before the conversation
    address = page.url
    shown_now = page.locator(".arf-chat").inner_text()
    page.goto("about:blank")
    page.goto(address)
    page.get_by_text("2 of 16").wait_for()
    settled(page)
    assert page.locator(".arf-chat").inner_text() == shown_now
    page.locator(".st-key-q input").fill("jk")
    page.keyboard.press("Enter")
    page.get_by_text("Nothing found").first.wait_for()
