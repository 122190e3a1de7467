"""Which split each new conversation goes to, near-duplicates together."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from arf_core.importing.assemble import Ready
from arf_core.importing.near_duplicates import split_of
from arf_core.project.settings import SplitShares
from arf_core.records import Split

BandRow = tuple[int, str, Split]
"""A row of the table of near-duplicates: band, group, split."""
_KNOWN = """
SELECT band, "group", split FROM near_duplicate WHERE band IN (SELECT value FROM json_each(?))
"""


class Place(NamedTuple):
    """Where a conversation goes."""

    split: Split
    leaks: bool
    """Its own file puts it on the other side of the test split than a near-duplicate."""


def placed(
    conn: Connection, new: Sequence[Ready], shares: SplitShares
) -> tuple[dict[str, Place], list[BandRow]]:
    """The place of each conversation by its fingerprint, and the rows that keep it for ever.

    A conversation takes the split that its file says, else that of the first group it shares a band
    with, else one by the hash of its own fingerprint. Its other bands join the group.
    """
    wanted = json.dumps([band for c in new for band in c.hashed.bands])
    known: dict[int, tuple[str, Split]] = {
        band: (group, split) for band, group, split in conn.exec_driver_sql(_KNOWN, (wanted,))
    }
    places: dict[str, Place] = {}
    rows: list[BandRow] = []
    for c in new:
        hits = [known[band] for band in c.hashed.bands if band in known]
        group, found = hits[0] if hits else (c.fingerprint, None)
        split = c.split or found or split_of(group, shares)
        leaks = c.split is not None and any((s == "test") != (split == "test") for _, s in hits)
        places[c.fingerprint] = Place(split, leaks)
        for band in c.hashed.bands:
            if band not in known:
                known[band] = (group, split)
                rows.append((band, group, split))
    return places, rows
