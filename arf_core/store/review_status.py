"""How each revised summary stands: what became of its findings, how risky it is, what a person
decided. Kept as derived columns of `revision`, so that the review queue of a million summaries is
an index, and its counts one scan of it.

`outcome` holds the category and result of each finding that the edit was to answer, and of each
that came in, as in " missing_issue=fixed wrong_figure=not_fixed". A finding counts once: not fixed
if any verifier says so, else fixed if one does. Every figure about a round is counted from it.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from pydantic_core import to_json
from sqlalchemy import Connection

from arf_core.store.blocks import drop_rounds

ReviewStatus = Literal[
    "new_error",  # a verifier found an error that the edit brought in
    "not_fixed",  # a verifier says that a finding is still there
    "failed",  # the editor failed: it is the parent's text
    "flagged",  # more was changed than the findings ask for
    "unchecked",  # no verifier could judge a finding, or none has looked
    "large_change",  # every finding is fixed, but much of the text is new
    "verified",  # every finding is fixed, and nothing came in
    "clean",  # nothing was to be answered, and nothing was changed
]
REVIEW_STATUSES: tuple[ReviewStatus, ...] = get_args(ReviewStatus)
"""Riskiest first; `revision.risk` is the index in this order."""

LARGE_CHANGE = 0.15
"""Share of words that differ from the parent, above which a person looks sooner."""

_RESULT = """CASE
    WHEN EXISTS (SELECT 1 FROM "check" c WHERE c.finding_id = asked.value AND c.current = 1
                 AND c.summary_id = revision.summary_id AND c.result = 'not_fixed') THEN 'not_fixed'
    WHEN EXISTS (SELECT 1 FROM "check" c WHERE c.finding_id = asked.value AND c.current = 1
                 AND c.summary_id = revision.summary_id AND c.result = 'fixed') THEN 'fixed'
    ELSE 'unchecked' END"""

# a finding that is gone from its table still counts, under a name that no category has
_OUTCOME = f"""coalesce((SELECT group_concat(' ' || pair, '') FROM (
    SELECT coalesce(f.category, '?') || '=' || {_RESULT} AS pair
      FROM json_each(revision.findings) AS asked LEFT JOIN finding f ON f.id = asked.value
    UNION ALL
    SELECT coalesce(f.category, '?') || '=new_error'
      FROM "check" c LEFT JOIN finding f ON f.id = c.finding_id
     WHERE c.summary_id = revision.summary_id AND c.current = 1 AND c.result = 'new_error'
    ORDER BY pair)), '')"""  # noqa: S608 (no value from outside is in it)

_DECISION = """coalesce((SELECT d.action FROM decision d
    WHERE d.summary_id = revision.summary_id ORDER BY d.seq DESC LIMIT 1), 'open')"""

_SPLIT = "(SELECT c.split FROM conversation c WHERE c.seq = revision.conversation)"

_CONDITIONS: dict[ReviewStatus, str] = {
    "failed": "status = 'failed'",
    "new_error": "outcome LIKE '%=new@_error%' ESCAPE '@'",
    "not_fixed": "outcome LIKE '%=not@_fixed%' ESCAPE '@'",
    "flagged": "flagged = 1",
    "clean": "findings = '[]' AND status = 'unchanged'",
    "unchecked": "findings = '[]' OR outcome LIKE '%=unchecked%'",
    "large_change": f"change > {LARGE_CHANGE}",
}
"""The first that holds decides."""

_RISK = " ".join(
    f"WHEN {condition} THEN {REVIEW_STATUSES.index(status)}"
    for status, condition in _CONDITIONS.items()
)


def update_outcomes(conn: Connection, summary_ids: Sequence[str]) -> None:
    """Bring the derived columns of these revisions up to date, inside the caller's write."""
    _update(conn, summary_ids, f"split = {_SPLIT}, outcome = {_OUTCOME}, decision = {_DECISION}")
    # a step of its own, since the risk is read from the outcome
    verified = REVIEW_STATUSES.index("verified")
    _update(conn, summary_ids, f"risk = CASE {_RISK} ELSE {verified} END")
    drop_rounds(conn, summary_ids)


def update_decisions(conn: Connection, summary_ids: Sequence[str]) -> None:
    """The same where only decisions were written."""
    _update(conn, summary_ids, f"decision = {_DECISION}")
    drop_rounds(conn, summary_ids)


def _update(conn: Connection, summary_ids: Sequence[str], values: str) -> None:
    these = "summary_id IN (SELECT value FROM json_each(?))"
    conn.exec_driver_sql(
        f"UPDATE revision SET {values} WHERE {these}",  # noqa: S608 (texts of this module)
        (to_json(summary_ids).decode(),),
    )


def results_of(outcome: str) -> tuple[tuple[str, str], ...]:
    """The stored outcome, as (category, result) for each finding."""
    pairs = (pair.partition("=") for pair in outcome.split())
    return tuple((category, result) for category, _, result in pairs)
