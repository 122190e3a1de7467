"""The steps that bring an older project's tables up to date.

To change a table: change it in schema.py, raise `VERSION` there, add the step here, and add the new
version's tables to `tests/store/schemas/v<n>.sql`; a test migrates every older version and compares
the result with schema.py.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from arf_core.store import schema


def _blocks_are_dropped_by_writes(conn: Connection) -> None:
    """Version 1 counted changes in a table of their own. What blocks hold is derived, so they are
    made anew by whoever reads first."""
    conn.exec_driver_sql("DROP TABLE change")
    conn.exec_driver_sql("DROP TABLE block")
    schema.block.create(conn)


MIGRATIONS: dict[int, Callable[[Connection], None]] = {2: _blocks_are_dropped_by_writes}
"""`MIGRATIONS[n]` leads from version n - 1 to n. A new project skips them all."""


def migrate(conn: Connection, found: int) -> None:
    """Bring tables of version `found` to the present version inside the caller's transaction."""
    for number in range(found + 1, schema.VERSION + 1):
        MIGRATIONS[number](conn)
