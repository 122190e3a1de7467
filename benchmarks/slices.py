"""What the charts read, at scale: python -m benchmarks.slices [summaries]

Times each read of a generated project (benchmarks/projects.py) twice: the first time, and again.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from arf_core.evaluate.rates import error_rates
from arf_core.evaluate.slices import error_rates_by
from arf_core.project import Project
from arf_core.store import finding_list
from arf_core.store.arrays import finding_columns
from arf_core.store.lengths import turn_lengths, word_lengths
from arf_core.store.patterns import error_patterns
from benchmarks.projects import READER, generate

SUMMARIES = 1_000_000
TARGET_S = 1.0


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
        begun = time.perf_counter()
        generate(Path(folder) / "project", n)
        print(f"{n:,} summaries written in {time.perf_counter() - begun:.0f} s; the target for a ")
        print(f"slice is {TARGET_S} s.\n\n| read | first, s | again, s |\n|---|---|---|")
        with Project.open(Path(folder) / "project") as project:
            _time_all(project)


def _time_all(project: Project) -> None:
    store, splits = project.store, ("train", "dev")
    whose = (store, "teacher", READER)
    seqs = finding_list.listed(finding_columns(*whose))
    reads: dict[str, Callable[[], object]] = {
        "error rates": lambda: error_rates(*whose, splits),
        "by channel (4 values)": lambda: error_rates_by(*whose, "channel", splits),
        "by day (336 values)": lambda: error_rates_by(*whose, "opened", splits),
        "error patterns": lambda: error_patterns(*whose, splits),
        "a page of findings": lambda: finding_list.page(store, seqs, 1_000),
        "a finding with its conversation": lambda: finding_list.finding_card(store, int(seqs[-1])),
        "words that nobody used": lambda: finding_list.with_words(store, seqs, "zzzz"),
        "words of summaries": lambda: word_lengths(store, "teacher", splits),
        "turns of conversations": lambda: turn_lengths(store, splits),
    }
    for name, read in reads.items():
        timed(name, read)


if __name__ == "__main__":
    main()
