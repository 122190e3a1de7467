"""What models cost, and what went where: read from the ledger."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select

from arf_core.models.cost import Entry
from arf_core.records import Record
from arf_core.store import schema
from arf_core.store.database import Store


class CostRow(Record):
    """Calls of one model for one task on one system's summaries."""

    model: str
    task: str
    system: str
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """None where no price was known."""

    @property
    def per_thousand(self) -> float | None:
        """Money for a thousand answered calls."""
        answered = self.calls - self.failed
        return None if self.cost is None or not answered else 1000 * self.cost / answered


def costs(store: Store) -> list[CostRow]:
    """All calls, by model, task and system; the dearest first."""
    ledger = schema.ledger
    by: Sequence[ColumnElement[Any]] = (ledger.c.model, ledger.c.task, ledger.c.system)
    sums = ("calls", "failed", "prompt_tokens", "completion_tokens", "cost")
    query = select(*by, *(func.sum(ledger.c[n]).label(n) for n in sums)).group_by(*by)
    with store.read() as conn:
        rows = [CostRow.model_validate(dict(r._mapping)) for r in conn.execute(query)]
    return sorted(rows, key=lambda r: (-(r.cost or 0), -r.calls))


def ledger(store: Store, newest: int = 100) -> list[Entry]:
    """The newest entries: what went where, when, and how much of it."""
    table = schema.ledger
    columns = [table.c[name] for name in Entry.model_fields]
    query = select(*columns).order_by(table.c.seq.desc()).limit(newest)
    with store.read() as conn:
        return [Entry.model_validate(dict(r._mapping)) for r in conn.execute(query)]
