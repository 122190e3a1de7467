"""Messages that name the one they answer, put together: a root and its replies."""

from arf_core.importing.report import Tally
from arf_core.importing.staging import Staging

_TWICE = """
CREATE INDEX message_{g}_id ON message_{g}(id);
CREATE TABLE twice_{g} AS SELECT n, id, text, file, line, (
    SELECT min(n) FROM message_{g} f WHERE f.id = m.id) AS first
    FROM message_{g} m WHERE id IN (SELECT id FROM message_{g} GROUP BY id HAVING count(*) > 1);
DELETE FROM twice_{g} WHERE n = first;
DELETE FROM message_{g} WHERE n IN (SELECT n FROM twice_{g});
"""
_JOINED = """
CREATE INDEX message_{g}_parent ON message_{g}(parent);
CREATE TABLE place_{g} (n INTEGER PRIMARY KEY, root TEXT, depth INTEGER);
INSERT OR IGNORE INTO place_{g}
    WITH RECURSIVE reached(n, id, root, depth) AS (
        SELECT n, id, id, 0 FROM message_{g} m WHERE parent IS NULL OR parent = id
            OR NOT EXISTS (SELECT 1 FROM message_{g} p WHERE p.id = m.parent)
        UNION ALL
        SELECT m.n, m.id, r.root, r.depth + 1 FROM reached r
            JOIN message_{g} m ON m.parent = r.id WHERE m.id <> m.parent
    )
    SELECT n, root, depth FROM reached;
UPDATE message_{g} SET
    conversation = (SELECT root FROM place_{g} p WHERE p.n = message_{g}.n),
    place = (SELECT depth FROM place_{g} p WHERE p.n = message_{g}.n);
"""
CIRCLE = "messages answer each other in a circle"
TWICE = "the message's id stands for another message already"


def join(staging: Staging, group: int, tally: Tally) -> None:
    """Give every message of the group the id of its thread's root as conversation. A message whose
    parent is not there begins a conversation; a circle is rejected."""
    staging.script(_TWICE.format(g=group))
    _reject_second(staging, group, tally)
    staging.script(_JOINED.format(g=group))
    query = f"SELECT file, line, id FROM message_{group} WHERE conversation IS NULL"  # noqa: S608
    for file, line, name in staging.rows(query):
        tally.reject(staging.files[file], line, CIRCLE, name)
    orphans = f"""
        SELECT count(*), min(parent) FROM message_{group} m WHERE parent IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM message_{group} p WHERE p.id = m.parent)
    """  # noqa: S608
    for count, example in staging.rows(orphans):
        if count:
            tally.note(
                f"{count} messages answer one that is not in the file (for example {example}): "
                "each begins a conversation of its own."
            )


def _reject_second(staging: Staging, group: int, tally: Tally) -> None:
    query = f"""
        SELECT t.file, t.line, t.id, t.text = m.text FROM twice_{group} t
        JOIN message_{group} m ON m.n = t.first ORDER BY t.n
    """  # noqa: S608
    for file, line, name, same in staging.rows(query):
        if same:
            tally.remarks.counts["messages twice"] += 1
        else:
            tally.reject(staging.files[file], line, TWICE, name)
