"""What the charts read, at scale: python benchmarks/slices.py [summaries]

Writes conversations, one system's summaries and a detector's readings straight into a fresh
database (about one finding a summary), then times each read twice: the first time, and again.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert

from arf_core import schema
from arf_core.evaluate.rates import error_rates
from arf_core.records import digest, now
from arf_core.slices import error_rates_by
from arf_core.store import Store
from arf_core.tallies import error_patterns, turn_lengths, word_lengths
from arf_core.taxonomy import load_taxonomy

SUMMARIES = 1_000_000
TARGET_S = 1.0
BATCH = 5_000
CHANNELS = ("agent chat", "bot chat", "e-mail", "web form")
WEIGHTS = (15, 10, 5, 13, 4, 6, 6, 19, 6, 1)
FINDINGS = (0, 0, 0, 0, 0, 0, 1, 2, 3, 4)
"""Findings of a summary, drawn evenly: 40 % have an error."""
TURNS = [{"speaker": "customer", "text": "Where is my parcel? It was to come on Monday." * 2}] * 5
TEXT = "The customer asked for a parcel. The agent found it and promised it for Monday. " * 3

Rows = dict[Table, list[dict[str, Any]]]


def rows(n: int, rng: random.Random, categories: list[str]) -> Rows:
    """The rows of conversation number `n`."""
    conversation, split = (
        digest("bench", str(n)),
        rng.choices(("train", "dev", "test"), (7, 1, 2))[0],
    )
    summary, reading = digest(conversation, "teacher"), f"a{n:09}"
    found = rng.choice(FINDINGS)
    whose = {"system": "teacher", "detector": "d", "split": split, "current": True}
    shared = {"summary_id": summary, "conversation_id": conversation, **whose}
    values = {"channel": rng.choice(CHANNELS), "week": f"w{rng.randrange(500):03}"}
    return {
        schema.conversation: [
            {
                "id": conversation,
                "external_id": str(n),
                "source": "bench",
                "fingerprint": conversation,
                "turns": TURNS,
                "split": split,
                "attributes": {},
                "n_turns": len(TURNS),
                "n_chars": 400,
            }
        ],
        schema.attribute: [
            {"name": k, "value": v, "conversation_id": conversation} for k, v in values.items()
        ],
        schema.summary: [
            {"id": summary, "conversation_id": conversation, "system": "teacher", "text": TEXT}
        ],
        schema.analysis: [
            {
                "id": reading,
                "settings_hash": "",
                "taxonomy_hash": "",
                "status": "done",
                "at": NOW,
                "n_findings": found,
                **{k: v for k, v in shared.items() if k in schema.analysis.c},
            }
        ],
        schema.finding: [
            {
                "id": f"{reading}-{i}",
                "analysis_id": reading,
                "category": rng.choices(categories, WEIGHTS)[0],
                "evidence": [1],
                "explanation": "The summary says that it was done; the agent only promised it.",
                **shared,
            }
            for i in range(found)
        ],
    }


NOW = now()


def batches(n: int) -> Iterator[Rows]:
    """The rows of `n` conversations, some thousands at a time."""
    rng, categories = random.Random(7), [c.id for c in load_taxonomy().categories]
    for first in range(0, n, BATCH):
        batch: Rows = {}
        for number in range(first, min(n, first + BATCH)):
            for table, new in rows(number, rng, categories).items():
                batch.setdefault(table, []).extend(new)
        yield batch


def fill(store: Store, n: int) -> None:
    for batch in batches(n):
        with store.write() as conn:
            for table, new in batch.items():
                conn.execute(insert(table), new)


def timed(name: str, read: Callable[[], object]) -> None:
    times = []
    for _ in range(2):
        begun = time.perf_counter()
        read()
        times.append(time.perf_counter() - begun)
    print(f"| {name} | {times[0]:.2f} | {times[1]:.2f} |")


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else SUMMARIES
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "arf.db")
        begun = time.perf_counter()
        fill(store, n)
        print(f"{n:,} summaries written in {time.perf_counter() - begun:.0f} s; the target for a ")
        print(f"slice is {TARGET_S} s.\n\n| read | first, s | again, s |\n|---|---|---|")
        splits = ("train", "dev")
        timed("error rates", lambda: error_rates(store, "teacher", "d", splits))
        timed(
            "by channel (4 values)",
            lambda: error_rates_by(store, "teacher", "d", "channel", splits),
        )
        timed("by week (500 values)", lambda: error_rates_by(store, "teacher", "d", "week", splits))
        timed("error patterns", lambda: error_patterns(store, "teacher", "d", splits))
        timed("words of summaries", lambda: word_lengths(store, "teacher", splits))
        timed("turns of conversations", lambda: turn_lengths(store, splits))
        store.close()


if __name__ == "__main__":
    main()
