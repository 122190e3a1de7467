"""What a training would be, before anything is trained: its set, its steps, its memory."""

from typing import Any

from arf_core.project import Project
from arf_core.records import Record
from arf_core.training import job_of
from arf_core.training.base_models import known_shape
from arf_core.training.memory import MemoryEstimate, estimate
from arf_core.training.requirements import need_training
from arf_core.training.settings import FinetuneSettings
from arf_core.training.tokens import NO_LOSS
from arf_core.training.train import open_tokenizer, rows_that_fit, total_steps
from arf_core.training.training_records import RowLengths, TrainingJob


class TrainingExample(Record):
    """A row as the trainer sees it."""

    asked: str
    """The prompt, which is only read."""
    learnt: str
    """The answer, on which the loss counts."""


class TrainingPlan(Record):
    """What a training would do."""

    job: TrainingJob
    left_out: dict[str, int]
    lengths: RowLengths
    steps: int
    memory: MemoryEstimate | None
    """None where the base's shape is not known before it is fetched."""
    example: TrainingExample
    set_in_words: tuple[str, ...]

    def in_words(self) -> list[str]:
        """Line by line."""
        job, lengths = self.job, self.lengths
        dev = "" if job.settings.evaluate else "; the dev split is not looked at meanwhile"
        return [
            *self.set_in_words,
            f"fingerprint of the set: {job.fingerprint}",
            f"base: {job.base_name} ({job.licence}){', a practice model' if job.practice else ''}",
            f"{self.steps} steps of {job.settings.rows_a_step} rows with {job.trainer}, "
            f"{job.settings.method}{dev}",
            self.memory.in_words() if self.memory else "memory: known once the base is here",
            f"length: median {lengths.median} tokens, longest {lengths.longest}, cut at "
            f"{lengths.max_length}: {lengths.truncated} rows lose the middle of their "
            f"conversation, {lengths.too_long} are left out",
            f"the loss counts on {100 * lengths.learned_share:.0f} % of the tokens, the answers; "
            f"such as: {self.example.learnt[:200]}",
        ]


def memory_of(job: TrainingJob, length: int) -> MemoryEstimate | None:
    """The estimate for rows of this many tokens."""
    shape = known_shape(job.base)
    return estimate(shape, job.settings, job.trainer, length) if shape else None


def plan_of(
    project: Project, settings: FinetuneSettings | None = None, **values: Any
) -> TrainingPlan:
    """The plan. Raises the same errors as `finetune`, but needs no package of the trainer."""
    need_training()
    job, rows = job_of(project, FinetuneSettings.of(settings, values))
    tokenizer = open_tokenizer(job.base)
    encoded, lengths = rows_that_fit(tokenizer, job, rows.train)
    first = encoded[0]
    learnt = [i for i, label in zip(first.input_ids, first.labels, strict=True) if label != NO_LOSS]
    return TrainingPlan(
        job=job,
        left_out=rows.left_out,
        lengths=lengths,
        steps=total_steps(job.settings, len(encoded)),
        memory=memory_of(job, lengths.max_length),
        example=TrainingExample(
            asked=tokenizer.decode(first.input_ids[: -len(learnt)]),
            learnt=tokenizer.decode(learnt),
        ),
        set_in_words=tuple(rows.in_words()),
    )
