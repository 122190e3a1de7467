"""Export: a system's summaries as a training set, with a card that says where each row came from.

By default only rows that somebody or something stands behind: edited and every finding verified as
fixed, clean to the detectors that asked, or decided by a person. The test split never leaves.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import SPLITS, Action, Item, Record, Split, System, digest, now
from arf_core.review.decisions import apply_decisions
from arf_core.review.status import round_of
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import detectors_of, find_system, findings_of, items, read_by
from arf_core.store.review_status import REVIEW_STATUSES, ReviewStatus
from arf_core.store.round_counts import ReviewCounts

EXPORTED: tuple[Split, ...] = ("train", "dev")
CARD, PART = "README.md", ".part"
OURS = {CARD, PART, "dataset", *(f"{split}.jsonl" for split in SPLITS)}
"""All that an export writes; PART is what one was writing that was cut off."""
_MARK = "- fingerprint of the rows: "
"""In the card of every export, and of nothing else."""
GOOD = ("accepted", "reworded", "kept", "verified", "clean")
"""Origins that go out by default."""
WHY = {
    "accepted": "a person accepted the revised summary",
    "reworded": "a person worded it anew",
    "kept": "a person rejected the revision, so the text before it stands",
    "verified": "edited; a verifier found every finding fixed and nothing new",
    "clean": "no finding by any detector that read it for this round",
    "rejected": "a person rejected it",
    "replaced": "a person worded it anew: that text is in the reviewed system",
    "failed": "the editor failed; it is the parent's text",
    "flagged": "changed more than its findings ask for; waits for a person",
    "new_error": "the verifier found a new error",
    "not_fixed": "a finding is not fixed",
    "unchecked": "the verifier could not judge a finding, or has not looked",
    "not_read": "no detector has read it",
    "has_findings": "a detector found errors in it",
}
_DECIDED = {"accept": "accepted", "reject": "rejected", "reword": "replaced"}
_APPLIED = {"accept": "accepted", "reject": "kept", "reword": "reworded"}
"""The same in a reviewed system, where the decisions are applied."""


class ExportReport(Record):
    """What went out, and what stayed back, by reason."""

    system: str
    rows: int
    by_split: dict[str, int]
    by_origin: dict[str, int]
    left_out: dict[str, int]
    fingerprint: str
    """Hash of the rows: the same set has the same fingerprint."""
    read_by: tuple[str, ...]
    """The detectors whose readings a clean row stands on."""
    files: tuple[str, ...]


class ExportRow(Record):
    """One training example, and where it came from."""

    conversation: str
    split: Split
    system: str
    origin: str
    messages: tuple[dict[str, str], ...]


def export(
    project: Project,
    system: str,
    folder: Path,
    *,
    splits: Sequence[Split] = EXPORTED,
    everything: bool = False,
) -> ExportReport:
    """Write `<split>.jsonl` in chat format, a `datasets` folder and a card into `folder`.

    An earlier export in the folder is replaced when the new one is whole. `everything` takes
    unchecked rows too. Raises InputError for the test split, for a folder that holds something
    else, and where no row is left.
    """
    if "test" in splits:
        raise InputError(
            "The test split is never exported: a student must not be trained on it.",
            "Leave it out of --split.",
        )
    _refuse_strangers(folder)
    record = current_system(project, system)
    rows, left_out = chat_rows(project, record, splits, everything=everything)
    if not rows:
        why = ", ".join(f"{n} {WHY[o]}" for o, n in left_out.most_common(3))
        raise InputError(
            f"No row of {system!r} can be exported ({why or 'it has no summaries'}).",
            "Verify or accept some revisions first, or take all with --everything.",
        )
    report = ExportReport(
        system=system,
        rows=len(rows),
        by_split=dict(Counter(r.split for r in rows)),
        by_origin=dict(Counter(r.origin for r in rows)),
        left_out=dict(left_out),
        fingerprint=digest(*(r.model_dump_json() for r in rows)),
        read_by=tuple(detectors_of(project.store, _first_read(record))),
        files=(*(f"{s}.jsonl" for s in splits), "dataset/", CARD),
    )
    part = folder / PART
    shutil.rmtree(part, ignore_errors=True)
    _write(part, rows, splits)
    (part / CARD).write_text(_card(report, record, now()), encoding="utf-8")
    _put_in_place(part, folder)
    return report


def current_system(project: Project, system: str) -> System:
    """The system; a reviewed one with the decisions as they are now. Raises InputError where there
    is none of that name."""
    reviewed = round_of(project.store, system)
    if reviewed is not None:
        apply_decisions(project.store, reviewed)
    return find_system(project.store, system)


def chat_rows(
    project: Project, system: System, splits: Sequence[Split], *, everything: bool = False
) -> tuple[list[ExportRow], Counter[str]]:
    """The system's rows in chat format, and how many stayed back by origin: what an export writes
    and what a training learns from."""
    left_out: Counter[str] = Counter()
    rows = []
    for item, origin in origins(project.store, system, splits):
        if everything or origin in GOOD:
            rows.append(_row(project, item, origin))
        else:
            left_out[origin] += 1
    return rows, left_out


def _first_read(system: System) -> str:
    """Whose readings say that a row is clean: those of the text that a round began with."""
    return system.parent or system.name


def _refuse_strangers(folder: Path) -> None:
    """A folder with a card of ours, or with what an export left that was cut off, may be written.

    Raises InputError for any other that is not empty.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file.", "Name a folder.")
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    card = folder / CARD
    if card.is_file():
        ours = _MARK in card.read_text(encoding="utf-8", errors="replace")
    else:
        ours = PART in there or not there
    if not ours:
        raise InputError(
            f"{folder} holds other files, which an export could overwrite.",
            "Give a new or an empty folder, or that of an earlier export.",
        )


def _put_in_place(part: Path, folder: Path) -> None:
    """Everything was written, so that only whole files take the place of what was there. The card
    comes last: where it is, the rest is."""
    for name in OURS - {PART, CARD} - {path.name for path in part.iterdir()}:
        (folder / name).unlink(missing_ok=True)  # a split that is no longer asked for
    for path in sorted(part.iterdir(), key=lambda p: p.name == CARD):
        target = folder / path.name
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)
    part.rmdir()


def origins(store: Store, system: System, splits: Sequence[Split]) -> Iterator[tuple[Item, str]]:
    """Each summary of the system with what stands behind it, one of WHY."""
    detectors = detectors_of(store, system.name)
    for page in items(store, system.name, splits=splits):
        ids = [item.summary.id for item in page]
        standing = _standings(store, system, page)
        read = set().union(*(read_by(store, ids, d) for d in detectors)) if detectors else set()
        found = findings_of(store, ids, detectors)
        for item in page:
            id_ = item.summary.id
            if id_ in standing:
                yield item, origin_of(*standing[id_], reviewed=system.kind == "reviewed")
            else:
                read_as = "has_findings" if id_ in found else "clean"
                yield item, read_as if id_ in read else "not_read"


def _standings(
    store: Store, system: System, page: Sequence[Item]
) -> dict[str, tuple[Action, ReviewStatus]]:
    """Decision and standing of those summaries that a revision made; a reviewed summary has those
    of the one that it was made from."""
    reviewed = system.kind == "reviewed"
    of = {str(i.summary.parent_id if reviewed else i.summary.id): i.summary.id for i in page}
    r = schema.revision
    query = select(r.c.summary_id, r.c.decision, r.c.risk).where(r.c.summary_id.in_(list(of)))
    with store.read() as conn:
        rows = conn.execute(query).all()
    return {of[row.summary_id]: (row.decision, REVIEW_STATUSES[row.risk]) for row in rows}


def origin_of(decision: Action, standing: ReviewStatus, reviewed: bool = False) -> str:
    """What stands behind a revised summary; a person's word counts more than a verifier's."""
    if decision != "open":
        return (_APPLIED if reviewed else _DECIDED)[decision]
    return "verified" if standing == "large_change" else standing


class Outlook(Record):
    """What an export would take now, and what would stay back, by origin."""

    goes: dict[str, int]
    stays: dict[str, int]
    test: int
    """Summaries of the test split, which never goes."""


def outlook(counted: Iterable[ReviewCounts], reviewed: bool = False) -> Outlook:
    """Foretell the export of a round, or of what its review makes, from the round's counts."""
    by_origin: Counter[str] = Counter()
    test = 0
    for tally in counted:
        if tally.split == "test":
            test += tally.summaries
        else:
            by_origin[origin_of(tally.decision, tally.status, reviewed)] += tally.summaries
    return Outlook(
        goes={o: n for o, n in by_origin.items() if o in GOOD},
        stays={o: n for o, n in by_origin.items() if o not in GOOD},
        test=test,
    )


def _row(project: Project, item: Item, origin: str) -> ExportRow:
    asked = project.prompt("summarise").render(conversation=item.conversation)
    return ExportRow(
        conversation=item.conversation.external_id,
        split=item.conversation.split,
        system=item.summary.system,
        origin=origin,
        messages=(*asked, {"role": "assistant", "content": item.summary.text}),
    )


def _write(folder: Path, rows: Sequence[ExportRow], splits: Sequence[Split]) -> None:
    from datasets import Dataset, DatasetDict, disable_progress_bars

    disable_progress_bars()
    folder.mkdir(parents=True, exist_ok=True)
    sets: dict[str, Any] = {}
    for split in splits:
        data = [r.model_dump() for r in rows if r.split == split]
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in data)
        (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
        if data:
            sets[split] = Dataset.from_list(data)
    DatasetDict(sets).save_to_disk(str(folder / "dataset"))


def _readers(names: Sequence[str]) -> str:
    if set(names) <= {"rules"}:
        few = "rules find few errors, so most of them are still in rows called clean"
        return f"`rules` alone: {few}" if names else "nobody"
    return ", ".join(f"`{name}`" for name in names)


def _card(report: ExportReport, system: System, at: datetime) -> str:
    counts = "\n".join(f"| {o} | {n} | {WHY[o]} |" for o, n in sorted(report.by_origin.items()))
    left = "\n".join(f"| {o} | {n} | {WHY[o]} |" for o, n in sorted(report.left_out.items()))
    splits = ", ".join(f"{n} {s}" for s, n in report.by_split.items())
    source = f", a revision of `{system.parent}` by `{system.model}`" if system.parent else ""
    return f"""# Training set of {system.name}

{report.rows} conversations with summaries ({splits}), in chat format: `messages` holds the
instruction, the conversation and the summary to learn. `origin` says why a row is here.
The test split is not in this set.

- made {at.date()} from system `{system.name}`{source}
{_MARK}`{report.fingerprint}`
- read by: {_readers(report.read_by)}

| origin | rows | meaning |
|---|---|---|
{counts}

Left out:

| reason | rows | meaning |
|---|---|---|
{left or "| – | 0 | nothing |"}

Read it with `datasets.load_from_disk("dataset")`, or take the `.jsonl` files.
"""
