"""Hostile content is shown as text, on every page: nothing runs, nothing is fetched."""

import csv
import io
from pathlib import Path
from urllib.parse import urlparse

import pandas as pd
import pytest
import tomlkit
import yaml
from job_rows import enter
from payloads import PAYLOADS
from running_app import ROOT

from arf_core.project import Project
from arf_core.project.taxonomy import DEFAULT
from arf_core.records import (
    Analysis,
    Check,
    Conversation,
    Edit,
    Finding,
    Reading,
    Revision,
    Summary,
    System,
    Turn,
    digest,
    fingerprint_of,
    now,
)
from arf_core.store.queries import items
from ui import widgets

TEXT = "\n".join(PAYLOADS)
FORMULAS = [p for p in PAYLOADS if p.lstrip("\t")[0] in "=+-@"]
EVIL = PAYLOADS[1]
PLACES = (
    ("", {}),
    ("Data", {"part": "Overview"}),
    ("Data", {"part": "Conversations"}),
    ("Data", {"part": "Import"}),
    *(("Analyze", {"show": s}) for s in ("Error rates", "Slices", "Error pairs", "Clusters")),
    ("Analyze", {"show": "Findings"}),
    *(("Revise", {"view": s}) for s in ("Review", "Outcome", "New round", "Export")),
    ("Finetune", {}),
    *(("Settings", {"section": s}) for s in ("Models", "Roles", "Privacy", "Spending")),
    *(("Settings", {"section": s}) for s in ("Categories", "Project")),
)


A_PAYLOAD_IS_SHOWN = """() => {
    const fields = [...document.querySelectorAll('input, textarea')].map(e => e.value);
    return /P\\d\\d/.test([document.body.innerText, ...fields].join(' '));
}"""


def test_the_list_of_places_names_every_page_there_is() -> None:
    there = {p.stem.split("_", 1)[1] for p in (ROOT / "pages").glob("*.py")}
    assert there
    assert there <= {name for name, _ in PLACES}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose every text is a payload."""
    path = tmp_path_factory.mktemp("hostile") / "<img src=x onerror=alert(1)>"
    Project.create(path, EVIL).close()
    _settings(path)
    _taxonomy(path)
    with Project.open(path) as project:
        _content(project)
    for n, payload in enumerate(PAYLOADS[:6]):
        enter(path, title=f"Import {payload}", message=payload, phase=payload, done=n, total=9)
    for payload in PAYLOADS[6:9]:
        enter(path, title=payload, status="failed", error=payload, hint=payload, silent_s=99)
    return path


def _settings(path: Path) -> None:
    file = path / "arf.toml"
    settings = tomlkit.parse(file.read_text(encoding="utf-8"))
    settings["models"] = {EVIL: {"provider": "replay", "path": PAYLOADS[7]}}
    settings["roles"] = {"detector": EVIL, "editor": EVIL}
    file.write_text(tomlkit.dumps(settings), encoding="utf-8")


def _taxonomy(path: Path) -> None:
    data = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
    shipped = data["categories"]
    for n, payload in enumerate(PAYLOADS):
        if n < len(shipped):
            shipped[n] |= {"name": payload, "definition": payload}
        else:
            own = {k: v for k, v in shipped[0].items() if k != "omission_of"}
            shipped.append(own | {"id": f"c{n}", "name": payload, "definition": payload})
    (path / "taxonomy.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")


def _content(project: Project) -> None:
    conversations = [_conversation(n) for n in range(4)]
    project.store.add(conversations)
    project.store.add(
        [
            System(name="teacher", kind="teacher"),
            System(name=EVIL, kind="student"),
            System(name="r1", kind="revision", parent="teacher", model=EVIL),
        ]
    )
    for system in ("teacher", EVIL):
        project.store.put_summaries([Summary.of(c.id, system, TEXT) for c in conversations])
        _read(project, system)
    _revise(project)


def _conversation(n: int) -> Conversation:
    turns = tuple(Turn(speaker=p, text=p) for p in PAYLOADS)
    return Conversation(
        id=digest("hostile", str(n)),
        external_id=PAYLOADS[n],
        source=PAYLOADS[n + 4],
        fingerprint=fingerprint_of(turns),
        turns=turns,
        split="train",
        attributes={PAYLOADS[i]: PAYLOADS[i + n] for i in (1, 5, 8, 33)},
    )


def _read(project: Project, system: str, detector: str = f"llm:{EVIL}") -> None:
    for page in items(project.store, system):
        project.store.put_readings([_reading(project, item, detector) for item in page])


def _reading(project: Project, item, detector: str) -> Reading:
    analysis = Analysis(
        id=digest(item.summary.id, detector),
        summary_id=item.summary.id,
        detector=detector,
        settings_hash="s",
        taxonomy_hash=project.taxonomy.hash,
        status="done",
        at=now(),
    )
    findings = []
    for n, (payload, category) in enumerate(
        zip(PAYLOADS, project.taxonomy.categories, strict=False)
    ):
        start = TEXT.index(payload)
        findings.append(
            Finding(
                id=f"{analysis.id}-{n}",
                analysis_id=analysis.id,
                category=category.id,
                quote=payload,
                start=start,
                end=start + len(payload),
                evidence=(n,),
                explanation=payload,
                confidence=0.9,
            )
        )
    return Reading(item=item, analysis=analysis, findings=tuple(findings))


def _revise(project: Project) -> None:
    rows = []
    for page in items(project.store, "teacher"):
        for item in page:
            reading = _reading(project, item, f"llm:{EVIL}")
            after = Summary.of(
                item.conversation.id, "r1", TEXT + "\n" + PAYLOADS[2], item.summary.id
            )
            asked = tuple(f.id for f in reading.findings[:8])
            revision = Revision(
                summary_id=after.id,
                editor=EVIL,
                settings_hash="s",
                status="edited",
                findings=asked,
                change=0.4,
                at=now(),
            )
            end = len(TEXT)
            edit = Edit(
                summary_id=after.id, finding_id=asked[0], start=end, end=end, text=PAYLOADS[2]
            )
            rows.append((after, revision, [edit]))
    project.store.put_revisions(rows)
    for page in items(project.store, "r1"):
        for item in page:
            before = _reading(project, item, f"check:llm:{EVIL}")
            checks = [
                Check(
                    summary_id=item.summary.id,
                    finding_id=f"{digest(item.summary.parent_id, f'llm:{EVIL}')}-{n}",
                    verifier=f"llm:{EVIL}",
                    result="not_fixed",
                    reason=PAYLOADS[n],
                )
                for n in range(8)
            ]
            project.store.put_readings([before], checks)


@pytest.mark.browser
@pytest.mark.parametrize(("place", "query"), PLACES, ids=[f"{p}{q}" for p, q in PLACES])
def test_nothing_runs_and_nothing_is_fetched(server, hostile: Path, page, place, query) -> None:
    faults: list[str] = []
    asked: list[str] = []
    page.on("dialog", lambda d: (faults.append(f"dialog {d.message}"), d.dismiss()))
    page.on("request", lambda r: asked.append(r.url))
    page.on("popup", lambda p: faults.append(f"popup {p.url}"))
    page.goto(server.url(hostile, place, **query))
    settle(page)
    page.wait_for_function(A_PAYLOAD_IS_SHOWN, timeout=60_000)
    open_all(page)
    assert not page.get_by_test_id("stException").count(), page.get_by_test_id(
        "stException"
    ).first.inner_text()
    assert page.evaluate("window.arfRan") is None
    assert not faults
    assert asked
    strangers = [u for u in asked if urlparse(u).hostname not in ("127.0.0.1", None)]
    assert not strangers
    assert not page.evaluate(
        "[...document.querySelectorAll('[href],[src],[action],[data]')].filter(e =>"
        " ['href','src','action','data'].some(a => /^\\s*javascript:|evil/i.test("
        "e.getAttribute(a) || ''))).map(e => e.outerHTML.slice(0, 200))"
    )


@pytest.mark.browser
def test_a_file_of_payloads_is_previewed_as_text(server, hostile: Path, page) -> None:
    """Names of the file and of its columns, and every cell."""
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.on("dialog", lambda d: pytest.fail(f"dialog {d.message}"))
    page.goto(server.url(hostile, "Data", part="Import"))
    settle(page)
    table = pd.DataFrame({"id": range(54), "conversation": [f"Customer: {p}" for p in PAYLOADS]})
    table = table.assign(**dict.fromkeys(PAYLOADS[:9], PAYLOADS[1]), summary=PAYLOADS)
    upload = {
        "name": "<img src=x onerror=alert(1)>.csv",
        "mimeType": "text/csv",
        "buffer": table.to_csv(index=False).encode(),
    }
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(upload)
    page.get_by_role("button", name="Import files").wait_for()
    settle(page)
    open_all(page)
    assert page.evaluate("window.arfRan") is None
    assert not [u for u in asked if urlparse(u).hostname not in ("127.0.0.1", None)]


def settle(page) -> None:
    """Until the page has been drawn. Jobs at work draw it anew all the time, so not until quiet."""
    page.get_by_test_id("stAppViewContainer").wait_for()
    page.locator("h1").first.wait_for(timeout=60_000)
    page.wait_for_timeout(1000)


def open_all(page) -> None:
    """Unfold what is folded, and rest the mouse on what explains itself."""
    unfold = "document.querySelectorAll('details:not([open]) > summary').forEach(s => s.click())"
    for _ in range(2):  # what was folded may hold more that is
        page.evaluate(unfold)
        page.wait_for_timeout(400)
    page.evaluate(
        "document.querySelectorAll('.arf-mark, .arf-chip').forEach(m =>"
        " m.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})))"
    )


@pytest.mark.browser
def test_every_payload_is_shown_as_it_is(server, hostile: Path, page) -> None:
    """In a conversation and a summary, character by character, but for what cannot be seen."""
    page.goto(server.url(hostile, "Data", part="Conversations"))
    settle(page)
    page.locator(".arf-chat").first.wait_for()
    shown = page.locator(".arf-chat .arf-turn .arf-text").all_text_contents()
    assert shown == [widgets.seen(p) for p in PAYLOADS]


def test_downloads_hold_no_formula() -> None:
    frame = pd.DataFrame({p: [p, *FORMULAS[:1]] for p in PAYLOADS})
    rows = list(csv.reader(io.StringIO(widgets.csv_of(frame).decode("utf-8-sig"))))
    cells = [cell for row in rows for cell in row]
    assert FORMULAS
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]


def test_what_cannot_be_seen_or_sent_is_made_visible() -> None:
    assert widgets.seen("a\x00b\x1b\x7f") == "a␀b␛␡"
    assert widgets.seen("\u202ex\ud800") == "[U+202E]x\ufffd"
    assert widgets.seen("tab\tline\n") == "tab\tline\n"
    widgets.escaped("\ud800").encode()
