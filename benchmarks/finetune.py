"""Memory of a training: the estimate against the measured peak, on this machine.

    python -m benchmarks.finetune

Llama shapes from nothing, two steps each, each in a process of its own. Needs `make train`.
"""

import tempfile
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from arf_core.project import Project
from arf_core.records import Conversation, Summary, System, Turn, digest, fingerprint_of
from arf_core.training import finetune
from arf_core.training.memory import estimate
from arf_core.training.model_shape import shape_of
from arf_core.training.practice import make_base
from arf_core.training.run_folder import run_folder
from arf_core.training.settings import TrainingSettings, training_options

WORDS = "the lamp chair kettle is broken and a new one comes with the parcel tomorrow".split()


class Case(NamedTuple):
    trainer: str
    width: int
    method: str
    batch: int
    length: int


CASES = (
    Case("trl", 128, "full", 2, 512),
    Case("trl", 256, "lora", 4, 1024),
    Case("unsloth", 256, "lora", 4, 1024),
    Case("trl", 512, "full", 4, 1024),
    Case("unsloth", 512, "full", 4, 1024),
)


def project_in(folder: Path, length: int = 3000, prompt: str = "") -> Project:
    """Eight conversations of so many words, each summarised in one sentence; with a prompt of its
    own, where one is given."""
    project = Project.create(folder)
    if prompt:
        (folder / "prompts").mkdir(exist_ok=True)
        (folder / "prompts" / "summarise.md").write_text(prompt, encoding="utf-8")
    project.store.add([System(name="teacher", kind="teacher")])
    for i in range(8):
        words = " ".join(WORDS[(i + n) % len(WORDS)] for n in range(length))
        turns = (Turn(speaker="customer", text=words),)
        conversation = Conversation(
            id=digest("bench", str(i)),
            external_id=str(i),
            source="bench",
            fingerprint=fingerprint_of(turns),
            turns=turns,
            split="train",
        )
        project.store.add([conversation])
        project.store.put_summaries([Summary.of(conversation.id, "teacher", f"Lamp {i} broke.")])
    return project


def off(low: float, high: float, peak: float) -> str:
    """How far the middle of an estimate is from the peak that was measured."""
    return f"{100 * ((low + high) / 2 / peak - 1):+.0f} %"


def measured(project: Project, base: Path, case: Case) -> tuple[str, ...]:
    """One row of the table."""
    settings = TrainingSettings.model_validate(
        {
            "method": case.method,
            "batch": case.batch,
            "accumulation": 1,
            "steps": 2,
            "max_length": case.length,
        }
    )
    name = f"{case.trainer}-{case.width}-{case.method}-{case.batch}x{case.length}"
    finetune(
        project,
        system="teacher",
        base=str(base),
        into=name,
        trainer=case.trainer,
        gguf=False,
        **training_options(str(base), settings),
    )
    peak = run_folder(project.path, name).steps()[-1].memory_gb
    shape = shape_of(base)
    assert shape is not None
    said = estimate(shape, settings, case.trainer, case.length)
    inside = "yes" if said.low <= peak <= said.high else "**no**"
    error = off(said.low, said.high, peak)
    weights = f"{shape.weights / 1e6:.1f} M"
    shown = f"{said.low:.2f}–{said.high:.2f}"
    size = f"{case.batch} × {case.length}"
    return case.trainer, weights, case.method, size, shown, f"{peak:.2f}", inside, error


def main() -> None:
    table = Table(title="Memory of a training, GB")
    for name in (
        "trainer",
        "weights",
        "method",
        "rows × tokens",
        "estimate",
        "measured",
        "inside",
        "error",
    ):
        table.add_column(name)
    with tempfile.TemporaryDirectory() as folder:
        project = project_in(Path(folder) / "p")
        for case in CASES:
            base = Path(folder) / f"base-{case.width}"
            if not base.is_dir():
                make_base(base, [" ".join(WORDS)], width=case.width)
            table.add_row(*measured(project, base, case))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
