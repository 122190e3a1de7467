"""What a training would be, before anything is trained: its set, its steps, its memory."""

from arf_core.finetune import Wanted, job_of
from arf_core.finetune.memory import MemoryEstimate, estimate, shape_of
from arf_core.finetune.requirements import need_training
from arf_core.finetune.run_folder import TrainingJob
from arf_core.finetune.settings import preset
from arf_core.finetune.tokens import NO_LOSS, Lengths
from arf_core.finetune.training import open_tokenizer, rows_that_fit, total_steps
from arf_core.project import Project
from arf_core.records import Record


class Example(Record):
    """A row as the trainer sees it: what is read, and what is learnt."""

    asked: str
    learnt: str


class Plan(Record):
    """What would be done."""

    job: TrainingJob
    left_out: dict[str, int]
    lengths: Lengths
    steps: int
    memory: MemoryEstimate | None
    """None where the base's shape is not known before it is fetched."""
    example: Example
    set_in_words: tuple[str, ...]

    def in_words(self) -> list[str]:
        """For people, line by line."""
        job, lengths = self.job, self.lengths
        return [
            *self.set_in_words,
            f"fingerprint of the set: {job.fingerprint}",
            f"base: {job.base_name} ({job.licence}){', a practice model' if job.practice else ''}",
            f"{self.steps} steps of {job.settings.rows_a_step} rows with {job.trainer}, "
            f"{job.settings.method}"
            f"{'' if job.settings.evaluate else '; the dev split is not looked at meanwhile'}",
            self.memory.in_words() if self.memory else "memory: known once the base is here",
            f"length: median {lengths.median} tokens, longest {lengths.longest}, cut at "
            f"{lengths.max_length}: {lengths.truncated} rows lose the middle of their "
            f"conversation, {lengths.too_long} are left out",
            f"the loss counts on {100 * lengths.learned_share:.0f} % of the tokens, the answers; "
            f"such as: {self.example.learnt[:200]}",
        ]


def memory_of(job: TrainingJob, length: int) -> MemoryEstimate | None:
    """For rows of so many tokens."""
    known = preset(job.base)
    shape = known.shape if known else shape_of(job.base)
    return estimate(shape, job.settings, job.trainer, length) if shape else None


def plan_of(project: Project, wanted: Wanted) -> Plan:
    """Raises as `finetune` does, but for the trainer's own packages."""
    need_training()
    job, rows = job_of(project, wanted)
    tokenizer = open_tokenizer(job.base)
    encoded, lengths = rows_that_fit(tokenizer, job, rows.train)
    first = encoded[0]
    learnt = [i for i, label in zip(first.input_ids, first.labels, strict=True) if label != NO_LOSS]
    return Plan(
        job=job,
        left_out=rows.left_out,
        lengths=lengths,
        steps=total_steps(job.settings, len(encoded)),
        memory=memory_of(job, lengths.max_length),
        example=Example(
            asked=tokenizer.decode(first.input_ids[: -len(learnt)]),
            learnt=tokenizer.decode(learnt),
        ),
        set_in_words=tuple(rows.in_words()),
    )
