"""The closed world's table: python -m benchmarks.closed_world [--folder FOLDER] [--quick]

Teachers of whose kinds of error none, half or all follow from the input; of the one with half,
editors of several qualities; students of every arm on the same number of rows and steps, three
seeds each. Goes on where it was stopped (in FOLDER). Needs the training extra: `make train`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from arf_core.training.base_models import closed_world_base
from arf_core.training.training_set import Arm
from benchmarks.closed_world.counting import errors
from benchmarks.closed_world.figures import Figures, Result, Share, read_results
from benchmarks.closed_world.language import Case
from benchmarks.closed_world.students import (
    REWRITE,
    TEACHER,
    TRUTH,
    Sizes,
    World,
    named,
    project_of,
    settings_of,
    student,
    world,
)
from benchmarks.closed_world.writers import CATEGORIES, Quality, teacher

EXAMPLE = 2
"""Of the teacher with all arms so many of the four kinds of error follow from the input; the
project's example is made from it, so its students come first."""
SYSTEMATIC = (EXAMPLE, 4, 0)
MAIN = Quality(mends=0.8, breaks=0.05)
OTHERS = (
    Quality(mends=0.6, breaks=0.05),
    Quality(mends=0.4, breaks=0.05),
    Quality(mends=0.8, breaks=0.3),
)
DROPPED = Arm(f"read-{named(MAIN)}", "good")
"""The teacher's summaries in which nothing was found: the smallest arm."""
R1, R2, DROPPED_ARM = (f"{made}-{named(MAIN)}" for made in ("r1", "r2", "dropped"))
OTHER_R1 = tuple(f"r1-{named(quality)}" for quality in OTHERS)
COMPARED = (
    *((systematic, R1, DROPPED_ARM) for systematic in (2, 4)),
    *((systematic, R1, "r0") for systematic in (0, 2, 4)),
    (2, R1, REWRITE),
    (2, DROPPED_ARM, "r0"),
    (2, R2, R1),
    *((2, made, other) for made in OTHER_R1 for other in (DROPPED_ARM, "r0")),
)
"""Pairs of arms that a question is about."""
SEEDS = (1, 2, 3)
FULL, QUICK = Sizes(), Sizes(train=200, test=40, steps=6)


def arms(systematic: int) -> Iterator[tuple[str, Arm]]:
    """What students of this teacher learn from, by the name in the table."""
    yield "r0", Arm(TEACHER, "all")
    yield R1, Arm(R1, "all")
    if systematic:
        yield DROPPED_ARM, DROPPED
    if systematic == EXAMPLE:
        for system in (REWRITE, R2, TRUTH, *OTHER_R1):
            yield system, Arm(system, "all")


def run(folder: Path, base: Path, sizes: Sizes, seeds: Sequence[int]) -> list[Result]:
    """Every student that is not in `folder` yet; all results."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "results.jsonl"
    done = {r.key: r for r in read_results(file)}
    for seed in seeds:
        for systematic in SYSTEMATIC:
            here = world(systematic, seed, (MAIN, *OTHERS), sizes)
            where = folder / f"systematic-{systematic}-seed-{seed}"
            for name, arm in arms(systematic):
                if (systematic, name, seed) in done:
                    continue
                began = time.monotonic()
                result = _result(here, name, arm, where, base, sizes)
                took = time.monotonic() - began
                done[result.key] = result
                with file.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(result.model_dump()) + "\n")
                share = len(result.wrong) / result.summaries
                print(f"{result.key}: {share:.1%} with an error, {took:.0f} s", flush=True)
            done |= {r.key: r for r in [_of_teacher(here)]}
    return list(done.values())


def _result(here: World, name: str, arm: Arm, folder: Path, base: Path, sizes: Sizes) -> Result:
    project_of(here, folder).close()
    asked = settings_of(arm, DROPPED, base, f"student-{name}", here, sizes)
    made = student(folder, asked, sizes.answer_tokens)
    return Result(
        systematic=here.systematic,
        arm=name,
        seed=here.seed,
        rows=made.rows,
        steps=made.steps,
        seconds=made.seconds,
        wrong=wrong(here.test, made.texts),
        summaries=len(here.test),
    )


def _of_teacher(here: World) -> Result:
    texts = teacher(here.test, here.systematic, str(here.seed))
    return Result(
        systematic=here.systematic,
        arm=TEACHER,
        seed=here.seed,
        rows=0,
        steps=0,
        seconds=0.0,
        wrong=wrong(here.test, texts),
        summaries=len(here.test),
    )


def wrong(cases: Sequence[Case], texts: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Categories of the errors, by conversation; a summary that is not there errs in all."""
    found = {c.id: errors(c.facts, texts.get(c.id, "")) for c in cases}
    return {
        id_: tuple(sorted({e.category for e in those})) for id_, those in found.items() if those
    }


def show(results: Sequence[Result], conversations: Sequence[str]) -> None:
    figures = Figures(results, conversations)
    console = Console(width=170)
    table = Table(title="Summaries with an error, % (95 % interval)")
    for name in ("systematic", "arm", "seeds", "rows", "with an error", "against the teacher"):
        table.add_column(name)
    for column in CATEGORIES:
        table.add_column(column)
    table.add_column("other")
    for systematic in sorted(SYSTEMATIC):
        for arm in figures.arms(systematic):
            table.add_row(*_row(figures, results, systematic, arm))
    console.print(table)
    table = Table("systematic", "arm", "against", "points", title="One arm against another")
    for systematic, arm, other in COMPARED:
        if {arm, other} <= set(figures.arms(systematic)):
            points = _shown(figures.difference(systematic, arm, other))
            table.add_row(f"{systematic} of {len(CATEGORIES)}", arm, other, points)
    console.print(table)


def _row(figures: Figures, results: Sequence[Result], systematic: int, arm: str) -> list[str]:
    those = [r for r in results if (r.systematic, r.arm) == (systematic, arm)]
    rows = sorted(r.rows for r in those)
    total = sum(r.summaries for r in those)
    other = sum(any(c not in CATEGORIES for c in cs) for r in those for cs in r.wrong.values())
    return [
        f"{systematic} of {len(CATEGORIES)}",
        arm,
        str(len(those)),
        f"{rows[0]}–{rows[-1]}" if rows[0] != rows[-1] else str(rows[0]),
        _shown(figures.share(systematic, arm)),
        "" if arm == TEACHER else _shown(figures.difference(systematic, arm)),
        *(f"{100 * figures.share(systematic, arm, c).value:.1f}" for c in CATEGORIES),
        f"{100 * other / total:.1f}",
    ]


def _shown(share: Share) -> str:
    value, low, high = (100 * x for x in share)
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.closed_world", description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep all projects and results here")
    parser.add_argument("--base", type=Path, help="another base than the one of the example")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--quick", action="store_true", help="a few steps, to see whether it runs")
    given = parser.parse_args()
    sizes = QUICK if given.quick else FULL
    base = given.base or closed_world_base()
    seeds = SEEDS[: given.seeds]
    with tempfile.TemporaryDirectory() as temporary:
        results = run(given.folder or Path(temporary), base, sizes, seeds)
    conversations = [c.id for c in world(0, 1, (), sizes).test]
    show(results, conversations)


if __name__ == "__main__":
    main()
