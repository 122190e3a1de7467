"""The whole import: read everything into staging, then store it; or show how it would be."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from arf_core.errors import InputError
from arf_core.importing.assemble import Ready, Setup
from arf_core.importing.copying import AT_ONCE, STRIDE, STRIDE_CHARS, Link, Writer
from arf_core.importing.drafts import DraftReader, LinkReader
from arf_core.importing.facts import facts_from
from arf_core.importing.groups import Group, Plan, plan
from arf_core.importing.messages import MessageReader
from arf_core.importing.near_duplicates import split_of
from arf_core.importing.notes import add_notes
from arf_core.importing.options import ImportOptions, options_of
from arf_core.importing.report import KEPT, ImportReport, Preview, Progress, Tally, silent
from arf_core.importing.rows import Row, Table
from arf_core.importing.staging import Chunks, Staging
from arf_core.importing.threads import join
from arf_core.importing.workers import all_assembled, few_collections
from arf_core.project.settings import PrivacySettings, SplitShares
from arf_core.records import Conversation, Summary, Turn

if TYPE_CHECKING:
    from arf_core.project import Project

PREVIEW_ROWS = 2_000
_LEFT_BEHIND = ".import-"
_OLD_S = 24 * 3600


def load(
    project: "Project",
    paths: str | Path | Sequence[str | Path],
    options: ImportOptions | None = None,
    progress: Progress | None = None,
    **values: Any,
) -> ImportReport:
    """Bring conversations and summaries from files into the project.

    Options may be given one by one: `load(project, "chats.csv", system="gpt-4o-mini")`.

    The store is untouched until all of the input has been readable. What is there already stays as
    it is, so an import that was killed is finished by starting it again.

    Raises InputError for files that cannot be read, a mapping that cannot be found out, and where
    not a single conversation or summary could be taken.
    """
    if values:
        options = options_of({**(options.model_dump() if options else {}), **values})
    options = options or ImportOptions()
    started = time.monotonic()
    progress = progress or silent
    found = plan(_listed(paths), options, project.settings.privacy, progress)
    with Tally(options.rejects_to) as tally, _folder(project.path) as folder, few_collections():
        with Staging(folder) as staging:
            run = _Run(found, options, tally, staging, progress)
            run.read()
            run.store(project)
        report = run.finished()
    report.seconds = round(time.monotonic() - started, 3)
    return report


def preview(
    paths: str | Path | Sequence[str | Path],
    options: ImportOptions | None = None,
    rows: int = 20,
    shares: SplitShares | None = None,
    privacy: PrivacySettings | None = None,
) -> Preview:
    """The guessed mapping with its reasons, and the first `rows` conversations as they would be
    stored, from the first 2,000 rows of each file. Nothing is written.

    `shares` and `privacy` are those of the project. Raises InputError as `load` does.
    """
    options = options or ImportOptions()
    found = plan(_listed(paths), options, privacy or PrivacySettings())
    with Tally() as tally, Staging() as staging:
        run = _Run(found, options, tally, staging, silent, PREVIEW_ROWS)
        run.read()
        ready = [*islice(run.conversations(), rows)]
        run.finished(check=False)
    return Preview(
        mappings=[g.mapping for g in found.groups],
        conversations=[_conversation(c, shares or SplitShares()) for c in ready],
        summaries=[Summary.of(c.id, w.system, w.text) for c in ready for w in c.summaries],
        rejected=tally.report.rejected,
        speakers=tally.report.speakers,
        notes=tally.report.notes,
    )


class _Run:
    """One import under way."""

    def __init__(
        self,
        found: Plan,
        options: ImportOptions,
        tally: Tally,
        staging: Staging,
        progress: Progress,
        most_rows: int | None = None,
    ) -> None:
        self._plan, self._options, self._tally = found, options, tally
        self._staging, self._progress, self._most_rows = staging, progress, most_rows
        files = [t.file for g in found.groups for t in g.tables]
        tally.report.files, tally.report.file_count = files[:KEPT], len(files)
        tally.report.mappings = [g.mapping for g in found.groups]
        for note in found.notes:
            tally.note(note)

    # -- reading -------------------------------------------------------------------------------

    def read(self) -> None:
        """Stage every row of every table."""
        for number, group in enumerate(self._plan.groups):
            if group.mapping.shape in ("messages", "threads"):
                self._staging.begin_messages(number)
            for table in group.tables:
                self._read_table(number, group, table)
        self._staging.index_links()

    def _read_table(self, number: int, group: Group, table: Table) -> None:
        take, finish = self._reader(number, group, table)

        def reject(line: int, reason: str, seen: str) -> None:
            self._tally.report.read += 1
            self._tally.reject(table.file, line, reason, seen)

        left = self._most_rows
        with closing(table.batches(reject)) as batches:
            for batch in batches:
                rows = batch if left is None else batch[:left]
                self._tally.report.read += len(rows)
                take(rows)
                self._progress("reading", self._tally.report.read, 0)
                if left is not None:
                    left -= len(rows)
                if left == 0 or self._has_enough(group):
                    break
        finish()
        if table.seen_keys:
            self._tally.note(
                f"{table.file}: keys that first appear behind row 500 were not read: "
                f"{', '.join(sorted(table.seen_keys)[:10])}."
            )

    def _reader(
        self, number: int, group: Group, table: Table
    ) -> tuple[Callable[[list[Row]], None], Callable[[], None]]:
        """What takes the rows of a table, and what is to be done after the last."""
        file = self._staging.file(table.file)
        mapping, options, tally, staging = group.mapping, self._options, self._tally, self._staging
        if mapping.shape == "messages":
            messages = MessageReader(table, mapping, options, tally)
            chunks = Chunks(staging, number, file)
            return lambda rows: chunks.add(messages(rows)), chunks.flush
        if mapping.shape == "threads":
            answers = MessageReader(table, mapping, options, tally)
            return lambda rows: staging.add_messages(number, file, answers(rows)), _nothing_more
        if mapping.shape == "linked":
            target = number if group.target is None else group.target
            links = LinkReader(table, mapping, options, tally, target, file)
            return lambda rows: staging.add("linked", links(rows)), _nothing_more
        drafts = DraftReader(table, mapping, options, tally, number, file)
        return lambda rows: staging.add("draft", drafts(rows)), _nothing_more

    def _has_enough(self, group: Group) -> bool:
        """Where each row is a conversation, reading may stop at the limit."""
        limit = self._options.limit
        if limit is None or group.mapping.shape in ("messages", "threads", "linked"):
            return False
        return self._tally.report.read >= limit

    # -- storing -------------------------------------------------------------------------------

    def conversations(self) -> Iterator[Ready]:
        """All conversations, up to the limit."""
        return islice(self._all(), self._options.limit)

    def _all(self) -> Iterator[Ready]:
        for number, group in enumerate(self._plan.groups):
            if group.mapping.shape == "linked":
                continue
            if group.mapping.shape == "threads":
                join(self._staging, number, self._tally)
            links = tuple(g.mapping for g in self._plan.groups if g.target == number)
            setup = Setup(group.mapping, number, group.source, links, self._options.speakers)
            parts = self._staging.gather(number, group.mapping.shape)
            for some in all_assembled(self._staging, setup, parts):
                self._tally.take(some.remarks)
                yield from some.conversations

    def store(self, project: "Project") -> None:
        """Copy everything staged to the project's store."""
        writer = Writer(project.store, project.settings.split, self._tally)
        done = 0
        for stride in _strides(self.conversations()):
            for n in writer.add(stride):
                done += n
                self._progress("storing", done, 0)
        if self._options.limit is None:
            self._store_links(writer)

    def _store_links(self, writer: Writer) -> None:
        """Summaries whose conversation is not in the files may belong to one in the store."""
        targets = {g.target if g.target is not None else n for n, g in self._linked()}
        links = (link for number in sorted(targets) for link in self._links_to_others(number))
        while batch := list(islice(links, AT_ONCE)):
            writer.attach(batch)

    def _linked(self) -> Iterator[tuple[int, Group]]:
        return ((n, g) for n, g in enumerate(self._plan.groups) if g.mapping.shape == "linked")

    def _links_to_others(self, number: int) -> Iterator[Link]:
        group = self._plan.groups[number]
        for row in self._staging.unseen_links(number, group.mapping.shape):
            summaries = facts_from(row.facts).summaries
            yield Link(row.id, group.source, summaries, self._staging.files[row.file], row.line)

    def finished(self, check: bool = True) -> ImportReport:
        """The report. Raises InputError where nothing at all was taken."""
        add_notes(self._tally, self._options.speakers)
        report = self._tally.finished()
        taken = report.conversations + report.duplicates + report.summaries + report.summaries_known
        if check and not taken:
            raise _nothing(report)
        return report


def _strides(conversations: Iterator[Ready]) -> Iterator[list[Ready]]:
    """As many as are placed together, fewer where they are long."""
    stride: list[Ready] = []
    chars = 0
    for c in conversations:
        stride.append(c)
        chars += c.n_chars
        if len(stride) == STRIDE or chars > STRIDE_CHARS:
            yield stride
            stride, chars = [], 0
    if stride:
        yield stride


def _nothing(report: ImportReport) -> InputError:
    reasons = [f"{n:,} × {why}" for why, n in report.rejected_by_reason.most_common(3)]
    first = report.rejected[0] if report.rejected else None
    at = f" The first: line {first.line} of {first.file}: {first.seen}" if first else ""
    return InputError(
        f"Nothing could be taken from {', '.join(report.files[:3])}: "
        f"{'; '.join(reasons) or 'there are no rows'}.{at}",
        "Look at how it is read with --preview, and correct it with --map field=column.",
    )


def _conversation(c: Ready, shares: SplitShares) -> Conversation:
    return Conversation(
        id=c.id,
        external_id=c.external_id,
        source=c.source,
        fingerprint=c.fingerprint,
        turns=tuple(Turn.model_validate(t) for t in from_json(c.turns)),
        split=c.split or split_of(c.fingerprint, shares),
        attributes=c.attributes,
    )


def _listed(paths: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [paths] if isinstance(paths, str | Path) else list(paths)


@contextmanager
def _folder(project: Path) -> Iterator[Path]:
    """A folder for the staging, on the project's disk. What killed imports left is taken away
    after a day."""
    for old in project.glob(f"{_LEFT_BEHIND}*"):
        if time.time() - old.stat().st_mtime > _OLD_S:
            shutil.rmtree(old, ignore_errors=True)
    try:
        folder = tempfile.TemporaryDirectory(prefix=_LEFT_BEHIND, dir=project)
    except OSError as error:
        raise InputError(
            f"Nothing can be written to {project}: {error.strerror}.",
            "Check that the folder is there and may be written.",
        ) from error
    with folder as path:
        yield Path(path)


def _nothing_more() -> None:
    """What follows the last row of most tables."""
