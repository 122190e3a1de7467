"""Change a project's taxonomy: preview the effect on prompts, analyses and findings, then save.

Stored results stay: an analysis keeps the version of the taxonomy that it was made with, and the
next run reads the summaries again.
"""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import func, select

from arf_core.errors import InputError
from arf_core.project import TAXONOMY_FILE, Project
from arf_core.project.settings import replace_text
from arf_core.project.taxonomy import DEFAULT, Category, Taxonomy, parse_taxonomy
from arf_core.records import Conversation, Record, Turn
from arf_core.store import schema

PROMPTS = ("detect", "edit", "verify")
"""Tasks whose prompts contain the taxonomy."""
_SAMPLE = Conversation(
    id="", external_id="", source="", fingerprint="", split="train",
    turns=(Turn(speaker="-", text="-"),),
)  # fmt: skip
"""To render a prompt without an item."""


class CategoryChange(Record):
    """What happens to one category."""

    id: str
    kind: Literal["added", "removed", "changed", "moved"]
    fields: tuple[str, ...] = ()
    """Fields that change."""


class PromptChange(Record):
    """The instructions of a prompt, as they are and as they would be."""

    task: str
    before: str
    after: str


class Outdated(Record):
    """Summaries that a detector read with another taxonomy."""

    system: str
    detector: str
    summaries: int


class TaxonomyPreview(Record):
    """What a new taxonomy would change."""

    categories: tuple[CategoryChange, ...]
    prompts: tuple[PromptChange, ...]
    outdated: tuple[Outdated, ...]
    """The next analysis reads these again; until then their findings count."""
    orphaned: tuple[tuple[str, int], ...]
    """Current findings by category that the new taxonomy lacks."""
    unruled: tuple[str, ...]
    """Categories that the rules look for and the new taxonomy lacks."""

    @property
    def changes_nothing(self) -> bool:
        return not self.categories


def taxonomy_text(project: Project) -> str:
    """The project's taxonomy as YAML: its own file, else the shipped one."""
    own = project.path / TAXONOMY_FILE
    return (own if own.exists() else DEFAULT).read_text(encoding="utf-8")


def preview(project: Project, text: str, ruled: Sequence[str]) -> TaxonomyPreview:
    """What `text` would change as the project's taxonomy. Raises ConfigError if it is not valid.

    `ruled` are the categories that the rules look for (`arf_core.checks.CATEGORIES`).
    """
    old, new = project.taxonomy, parse_taxonomy(text, TAXONOMY_FILE)
    prompts = [
        PromptChange(
            task=task,
            before=_instructions(project, task, old),
            after=_instructions(project, task, new),
        )
        for task in PROMPTS
    ]
    return TaxonomyPreview(
        categories=_category_changes(old, new),
        prompts=tuple(p for p in prompts if p.before != p.after),
        outdated=_outdated(project, new),
        orphaned=_orphaned(project, new),
        unruled=tuple(c for c in ruled if c not in new.by_id),
    )


def save_taxonomy(project: Project, text: str) -> Project:
    """Make `text` the project's taxonomy; returns the reopened project.

    Raises ConfigError and leaves the file unchanged if the text is not valid.
    """
    parse_taxonomy(text, TAXONOMY_FILE)
    replace_text(project.path / TAXONOMY_FILE, text)
    return Project.open(project.path)


def use_shipped(project: Project) -> Project:
    """Return to the shipped taxonomy. Raises InputError if the project has none of its own."""
    own = project.path / TAXONOMY_FILE
    if not own.exists():
        raise InputError("The project uses the shipped taxonomy already.")
    own.unlink()
    return Project.open(project.path)


def _category_changes(old: Taxonomy, new: Taxonomy) -> tuple[CategoryChange, ...]:
    changes = [CategoryChange(id=c, kind="added") for c in new.by_id if c not in old.by_id]
    changes += [CategoryChange(id=c, kind="removed") for c in old.by_id if c not in new.by_id]
    kept = ([c for c in one.by_id if c in other.by_id] for one, other in ((old, new), (new, old)))
    for before, category in zip(*kept, strict=True):
        fields = tuple(
            name
            for name in Category.model_fields
            if getattr(old[category], name) != getattr(new[category], name)
        )
        if fields:
            changes.append(CategoryChange(id=category, kind="changed", fields=fields))
        elif before != category:
            changes.append(CategoryChange(id=category, kind="moved"))
    return tuple(changes)


def _instructions(project: Project, task: str, taxonomy: Taxonomy) -> str:
    """The part of a task's prompt before the item itself."""
    system, _ = project.prompt(task).render(
        conversation=_SAMPLE,
        sentences=[],
        summary="",
        before="",
        after="",
        findings=[],
        spans=taxonomy.spans,
        omissions=[c for c in taxonomy.categories if c.omission_of],
        categories=taxonomy.categories,
    )
    return system["content"]


def _outdated(project: Project, new: Taxonomy) -> tuple[Outdated, ...]:
    a = schema.analysis
    query = (
        select(a.c.system, a.c.detector, func.count().label("summaries"))
        .where(a.c.current, a.c.taxonomy_hash != new.hash, a.c.detector.not_like("person:%"))
        .group_by(a.c.system, a.c.detector)
        .order_by(a.c.system, a.c.detector)
    )
    with project.store.read() as conn:
        return tuple(Outdated(**row._mapping) for row in conn.execute(query))


def _orphaned(project: Project, new: Taxonomy) -> tuple[tuple[str, int], ...]:
    f = schema.finding
    query = (
        select(f.c.category, func.count())
        .where(f.c.current, f.c.category.not_in(list(new.by_id)))
        .group_by(f.c.category)
        .order_by(func.count().desc())
    )
    with project.store.read() as conn:
        return tuple((category, n) for category, n in conn.execute(query))
