"""One import: every row into staging, then every conversation into the store."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

from arf_core.errors import InputError
from arf_core.importing.conversations import ReadyConversation, Setup
from arf_core.importing.facts import facts_from
from arf_core.importing.plan import ImportPlan, TableGroup
from arf_core.importing.processes import all_assembled
from arf_core.importing.report import KEPT, ImportReport, ImportStats, add_notes
from arf_core.importing.row_reader import Chunks, RowReader
from arf_core.importing.rows import InputRow, Table
from arf_core.importing.settings import ImportSettings
from arf_core.importing.staging import Staging, join_threads
from arf_core.importing.write import AT_ONCE, STRIDE, STRIDE_CHARS, Link, Writer
from arf_core.run import PhaseProgress

if TYPE_CHECKING:
    from arf_core.project import Project


class ImportRun:
    """Carries out a plan."""

    def __init__(
        self,
        plan: ImportPlan,
        settings: ImportSettings,
        stats: ImportStats,
        staging: Staging,
        progress: PhaseProgress | None = None,
        max_rows: int | None = None,
    ) -> None:
        self._plan, self._settings, self._stats = plan, settings, stats
        self._staging, self._max_rows = staging, max_rows
        self._progress: PhaseProgress = progress or (lambda phase, done, total: None)
        files = [t.file for g in plan.groups for t in g.tables]
        stats.report.files, stats.report.file_count = files[:KEPT], len(files)
        stats.report.mappings = [g.mapping for g in plan.groups]
        for note in plan.notes:
            stats.note(note)

    # -- reading -------------------------------------------------------------------------------

    def read(self) -> None:
        """Stage every row of every table."""
        for number, group in enumerate(self._plan.groups):
            if group.mapping.shape in ("messages", "threads"):
                self._staging.begin_messages(number)
            for table in group.tables:
                self._read_table(number, group, table)
        self._staging.index_links()

    def _read_table(self, number: int, group: TableGroup, table: Table) -> None:
        report = self._stats.report

        def reject(line: int, reason: str, seen: str) -> None:
            report.read += 1
            self._stats.reject(table.file, line, reason, seen)

        take, finish = self._sink(number, group, table)
        left = self._max_rows
        with closing(table.batches(reject)) as batches:
            for batch in batches:
                rows = batch if left is None else batch[:left]
                report.read += len(rows)
                take(rows)
                self._progress("reading", report.read, 0)
                if left is not None:
                    left -= len(rows)
                if left == 0 or self._has_enough(group):
                    break
        finish()
        if table.seen_keys:
            self._stats.note(
                f"{table.file}: keys that first appear after row 500 were not read: "
                f"{', '.join(sorted(table.seen_keys)[:10])}."
            )

    def _sink(
        self, number: int, group: TableGroup, table: Table
    ) -> tuple[Callable[[list[InputRow]], None], Callable[[], None]]:
        """Where the rows of a table go, and what to call after the last."""
        staging, shape = self._staging, group.mapping.shape
        file = staging.file(table.file)
        reader = RowReader(table, group.mapping, self._settings, self._stats)
        if shape == "messages":
            chunks = Chunks(staging, number, file)
            return lambda rows: chunks.add(reader.messages(rows)), chunks.flush
        if shape == "threads":
            return lambda rows: staging.add_messages(number, file, reader.messages(rows)), _nothing
        if shape == "linked":
            target = number if group.target is None else group.target
            return lambda rows: staging.add("linked", reader.links(rows, target, file)), _nothing
        return lambda rows: staging.add("draft", reader.conversations(rows, number, file)), _nothing

    def _has_enough(self, group: TableGroup) -> bool:
        """Where each row is a conversation, reading may stop at the limit."""
        limit = self._settings.limit
        if limit is None or group.mapping.shape in ("messages", "threads", "linked"):
            return False
        return self._stats.report.read >= limit

    # -- storing -------------------------------------------------------------------------------

    def conversations(self) -> Iterator[ReadyConversation]:
        """All conversations, up to the limit."""
        return islice(self._all(), self._settings.limit)

    def _all(self) -> Iterator[ReadyConversation]:
        for number, group in enumerate(self._plan.groups):
            if group.mapping.shape == "linked":
                continue
            if group.mapping.shape == "threads":
                join_threads(self._staging, number, self._stats)
            links = tuple(g.mapping for g in self._plan.groups if g.target == number)
            setup = Setup(group.mapping, number, group.source, links, self._settings.speakers)
            ranges = self._staging.gather(number, group.mapping.shape)
            for some in all_assembled(self._staging, setup, ranges):
                self._stats.take(some.remarks)
                yield from some.conversations

    def store(self, project: "Project") -> None:
        """Copy everything staged to the project's store."""
        writer = Writer(project.store, project.settings.split, self._stats)
        done = 0
        for stride in _strides(self.conversations()):
            for n in writer.add(stride):
                done += n
                self._progress("storing", done, 0)
        if self._settings.limit is None:
            links = self._links_to_stored()
            while batch := list(islice(links, AT_ONCE)):
                writer.attach(batch)

    def _links_to_stored(self) -> Iterator[Link]:
        """Summaries whose conversation is not in the files may belong to a stored one."""
        groups = self._plan.groups
        linked = ((n, g) for n, g in enumerate(groups) if g.mapping.shape == "linked")
        for number in sorted({n if g.target is None else g.target for n, g in linked}):
            group = groups[number]
            for row in self._staging.unseen_links(number, group.mapping.shape):
                summaries = facts_from(row.body).summaries
                file = self._staging.files[row.file]
                yield Link(row.id, group.source, summaries, file, row.line)

    def finished(self, check: bool = True) -> ImportReport:
        """The report. Raises InputError where nothing was imported."""
        add_notes(self._stats, self._settings.speakers)
        report = self._stats.finished()
        taken = report.conversations + report.duplicates + report.summaries + report.summaries_known
        if check and not taken:
            raise _nothing_imported(report)
        return report


def _nothing() -> None:
    """Most tables need nothing after their last row."""


def _strides(conversations: Iterator[ReadyConversation]) -> Iterator[list[ReadyConversation]]:
    """Conversations that are assigned to splits together: fewer where they are long."""
    stride: list[ReadyConversation] = []
    chars = 0
    for c in conversations:
        stride.append(c)
        chars += c.n_chars
        if len(stride) == STRIDE or chars > STRIDE_CHARS:
            yield stride
            stride, chars = [], 0
    if stride:
        yield stride


def _nothing_imported(report: ImportReport) -> InputError:
    reasons = [f"{n:,} × {why}" for why, n in report.rejected_by_reason.most_common(3)]
    first = report.rejected[0] if report.rejected else None
    at = f" The first: line {first.line} of {first.file}: {first.seen}" if first else ""
    return InputError(
        f"Nothing could be imported from {', '.join(report.files[:3])}: "
        f"{'; '.join(reasons) or 'there are no rows'}.{at}",
        "Check the mapping with --preview, and correct it with --map FIELD=COLUMN.",
    )
