"""Changing a project's taxonomy: what would become of prompts, analyses and findings, then saving.

Nothing that was found is touched: an analysis keeps the version of the taxonomy that it was made
with, and the next run reads the summaries anew.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import yaml
from sqlalchemy import func, select

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.project.taxonomy import DEFAULT, Category, Taxonomy, parse_taxonomy
from arf_core.records import Conversation, Record, Turn
from arf_core.store import schema

FILE = "taxonomy.yaml"
PROMPTS = ("detect", "edit", "verify")
"""The tasks whose prompts hold the taxonomy."""
_NOBODY = Conversation(
    id="", external_id="", source="", fingerprint="", turns=(Turn(speaker="-", text="-"),),
    split="train",
)  # fmt: skip


class CategoryChange(Record):
    """What happens to one category."""

    id: str
    kind: Literal["added", "removed", "changed", "moved"]
    fields: tuple[str, ...] = ()
    """Of a changed one."""


class PromptChange(Record):
    """A prompt's instructions, as they are and as they would be."""

    task: str
    before: str
    after: str


class Outdated(Record):
    """Summaries that were read with another taxonomy than the new one."""

    system: str
    detector: str
    summaries: int


class Preview(Record):
    """What a new taxonomy would change."""

    categories: tuple[CategoryChange, ...]
    prompts: tuple[PromptChange, ...]
    outdated: tuple[Outdated, ...]
    """Those that the next analysis reads anew; until then their findings stay and count."""
    orphaned: tuple[tuple[str, int], ...]
    """Current findings by category that the new taxonomy no longer has."""
    unruled: tuple[str, ...]
    """Categories that the rules look for, and that the new taxonomy lacks."""

    @property
    def changes_nothing(self) -> bool:
        return not self.categories


def taxonomy_text(project: Project) -> str:
    """The project's taxonomy as YAML: its own file, else the shipped one."""
    own = project.path / FILE
    return (own if own.exists() else DEFAULT).read_text(encoding="utf-8")


def as_yaml(categories: Sequence[Category]) -> str:
    """Categories as the text of a taxonomy file."""
    rows = [c.model_dump(mode="json", exclude_defaults=True) for c in categories]
    text: str = yaml.safe_dump({"categories": rows}, sort_keys=False, allow_unicode=True, width=100)
    return text


def preview(project: Project, text: str, ruled: Sequence[str]) -> Preview:
    """What `text` would change as the project's taxonomy. Raises ConfigError for faults in it.

    `ruled` are the categories that the rules look for (`arf_core.checks.CATEGORIES`).
    """
    old, new = project.taxonomy, parse_taxonomy(text, FILE)
    return Preview(
        categories=_categories(old, new),
        prompts=_prompts(project, old, new),
        outdated=_outdated(project, new),
        orphaned=_orphaned(project, new),
        unruled=tuple(c for c in ruled if c not in new.by_id),
    )


def save_taxonomy(project: Project, text: str) -> Project:
    """Make `text` the project's taxonomy; returns the project opened anew.

    Raises ConfigError for faults in it, and leaves the file as it was.
    """
    parse_taxonomy(text, FILE)
    replace_text(project.path / FILE, text)
    return Project.open(project.path)


def replace_text(file: Path, text: str) -> None:
    """Write a file in one step, so that nobody reads half of it."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


def use_shipped(project: Project) -> Project:
    """Go back to the shipped taxonomy. Raises InputError where the project has none of its own."""
    own: Path = project.path / FILE
    if not own.exists():
        raise InputError("The project uses the shipped taxonomy already.")
    own.unlink()
    return Project.open(project.path)


# -- what changes ---------------------------------------------------------------------------------


def _categories(old: Taxonomy, new: Taxonomy) -> tuple[CategoryChange, ...]:
    changes = [CategoryChange(id=c, kind="removed") for c in old.by_id if c not in new.by_id]
    kept = [c for c in old.by_id if c in new.by_id]
    places = {c: i for i, c in enumerate(kept)}
    order = [c for c in new.by_id if c in places]
    for place, category in enumerate(order):
        fields = _differing(old[category], new[category])
        if fields:
            changes.append(CategoryChange(id=category, kind="changed", fields=fields))
        elif places[category] != place:
            changes.append(CategoryChange(id=category, kind="moved"))
    added = [CategoryChange(id=c, kind="added") for c in new.by_id if c not in old.by_id]
    return (*added, *changes)


def _differing(old: Category, new: Category) -> tuple[str, ...]:
    return tuple(n for n in Category.model_fields if getattr(old, n) != getattr(new, n))


def _prompts(project: Project, old: Taxonomy, new: Taxonomy) -> tuple[PromptChange, ...]:
    found: list[PromptChange] = []
    for task in PROMPTS:
        before, after = _instructions(project, task, old), _instructions(project, task, new)
        if before != after:
            found.append(PromptChange(task=task, before=before, after=after))
    return tuple(found)


def _instructions(project: Project, task: str, taxonomy: Taxonomy) -> str:
    """What the prompt of a task says before the item itself comes."""
    rendered = project.prompt(task).render(
        conversation=_NOBODY,
        sentences=[],
        summary="",
        before="",
        after="",
        findings=[],
        spans=taxonomy.spans,
        omissions=[c for c in taxonomy.categories if c.omission_of],
        categories=taxonomy.categories,
    )
    return rendered[0]["content"]


def _outdated(project: Project, new: Taxonomy) -> tuple[Outdated, ...]:
    a = schema.analysis
    query = (
        select(a.c.system, a.c.detector, func.count())
        .where(a.c.current, a.c.taxonomy_hash != new.hash, a.c.detector.not_like("person:%"))
        .group_by(a.c.system, a.c.detector)
        .order_by(a.c.system, a.c.detector)
    )
    with project.store.read() as conn:
        rows = conn.execute(query).all()
    return tuple(Outdated(system=s, detector=d, summaries=n) for s, d, n in rows)


def _orphaned(project: Project, new: Taxonomy) -> tuple[tuple[str, int], ...]:
    f = schema.finding
    query = (
        select(f.c.category, func.count())
        .where(f.c.current, f.c.category.not_in(list(new.by_id)))
        .group_by(f.c.category)
        .order_by(func.count().desc())
    )
    with project.store.read() as conn:
        return tuple((row[0], row[1]) for row in conn.execute(query))
