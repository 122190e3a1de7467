"""Every benchmark, one after the other: python -m benchmarks [--data DATA] [NAME …]

Each runs in a process of its own. What needs labelled data names its folder with `--data` and is
left out, with the reason, where there is none. The exit code says how many failed: they could not
be run, or missed a target that must be met.
"""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from arf_core import __version__

ROOT = Path(__file__).parent.parent
DATA = "{data}"


class Benchmark(NamedTuple):
    """One table."""

    name: str
    title: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


KILLS = ("-m", "pytest", "-q", "-p", "no:xdist", "tests/test_store.py", "-k", "kill")
TRAINING = (
    *("-m", "pytest", "-q", "-p", "no:xdist", "tests/test_finetune_training.py"),
    *("-k", "killed_again"),
)
BENCHMARKS = (
    Benchmark("import", "Import of 1,000,000 messages", ("-m", "benchmarks.importing")),
    Benchmark("rules-speed", "Rules detector: speed", ("-m", "benchmarks.rules", "speed")),
    Benchmark(
        "rules-quality",
        "Rules detector against people's labels",
        ("-m", "benchmarks.rules", "quality", DATA),
    ),
    Benchmark(
        "rules-planted",
        "Rules detector: one digit changed in right summaries",
        ("-m", "benchmarks.rules", "planted", DATA),
    ),
    Benchmark("slices", "What the charts read, at 1,000,000", ("-m", "benchmarks.slices")),
    Benchmark("app", "The app at 100,000 and 1,000,000, in a browser", ("-m", "benchmarks.app")),
    Benchmark("calls", "5,000 calls, 64 at a time", ("-m", "benchmarks.calls", "speed")),
    Benchmark("memory", "Memory of calls", ("-m", "benchmarks.calls", "memory")),
    Benchmark("limit", "A server that refuses above 40", ("-m", "benchmarks.calls", "limit")),
    Benchmark("restart", "Restart of a run almost done", ("-m", "benchmarks.calls", "restart")),
    Benchmark("kill-calls", "100 kills of a run of calls", ("-m", "benchmarks.calls", "kill")),
    Benchmark("practice", "A practice student by one command", ("-m", "benchmarks.practice")),
    Benchmark("finetune", "Memory of a training", ("-m", "benchmarks.finetune")),
    Benchmark(
        "closed-world",
        "The closed world: what students learn from errors",
        ("-m", "benchmarks.closed_world"),
    ),
    Benchmark("gpu", "Training on a GPU", ("-m", "benchmarks.gpu_finetune")),
    Benchmark("kill-training", "20 kills of a training", TRAINING, (("ARF_TRAINING_KILLS", "20"),)),
    Benchmark("kill-store", "100 kills of a writing process", KILLS, (("ARF_KILLS", "100"),)),
)


def machine() -> str:
    """The machine in words, as every table should name it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg()) if hasattr(os, "getloadavg") else "?"
    return (
        f"arf-studio {__version__}, Python {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {cores} cores, load before the first: {load}"
    )


def left_out(benchmark: Benchmark, data: Path | None) -> str | None:
    """Why this one cannot be run, if so."""
    if DATA in benchmark.command and (data is None or not data.is_dir()):
        return "needs labelled data: --data FOLDER (make bench DATA=FOLDER)"
    return None


def run(benchmark: Benchmark, data: Path | None) -> int:
    """Run one; its tables go to where ours go. Returns its exit code."""
    sys.stdout.flush()  # the other process writes to the same place
    command = [str(data) if part == DATA else part for part in benchmark.command]
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | dict(benchmark.environment)
    ).returncode


def main(arguments: Sequence[str] | None = None) -> int:
    names = [b.name for b in BENCHMARKS]
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--data", type=Path, help="a folder of labelled .jsonl files")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(names):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}: {', '.join(names)}")
    console = Console(highlight=False)
    console.print(machine(), soft_wrap=True)
    failed = []
    for benchmark in BENCHMARKS:
        if given.names and benchmark.name not in given.names:
            continue
        console.rule(f"{benchmark.name}: {benchmark.title}")
        reason = left_out(benchmark, given.data)
        if reason:
            console.print(f"left out: {reason}")
        elif run(benchmark, given.data) != 0:
            failed.append(benchmark.name)
    if failed:
        console.print(f"Could not be run, or missed what must be met: {', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
