"""The error categories as data: what each means, how to find it, how to correct it."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import StringConstraints, ValidationError, model_validator

from arf_core.errors import ConfigError, InputError, validation_message
from arf_core.records import Record, digest

DEFAULT = Path(__file__).with_name("taxonomy.yaml")
FactKind = Literal["issue", "cause", "action", "resolution", "next_step", "figure"]
CategoryId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
TaxonomyText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)
]


class CategoryExample(Record):
    """A short conversation and summary, and why the summary errs or does not."""

    conversation: TaxonomyText
    summary: TaxonomyText
    why: TaxonomyText


class Category(Record):
    """One kind of error."""

    id: CategoryId
    name: TaxonomyText
    severity: Literal[1, 2, 3]
    """3 misleads people who act on the summary, 2 misinforms, 1 costs time or style."""
    definition: TaxonomyText
    example: CategoryExample
    counterexample: CategoryExample
    detect: TaxonomyText
    """Instruction to a detector."""
    correct: TaxonomyText
    """Instruction to an editor."""
    omission_of: tuple[FactKind, ...] = ()
    """Kinds of key facts whose absence is this error. Such findings have no span."""


class Taxonomy(Record):
    """An ordered set of categories."""

    categories: tuple[Category, ...]

    @model_validator(mode="after")
    def _unambiguous(self) -> Self:
        if not self.categories:
            raise ValueError("there must be at least one category")
        kinds: list[str] = [kind for c in self.categories for kind in c.omission_of]
        for what, seen in (("id", [c.id for c in self.categories]), ("fact kind", kinds)):
            if twice := sorted({x for x in seen if seen.count(x) > 1}):
                raise ValueError(f"{what} used by two categories: {', '.join(twice)}")
        return self

    @cached_property
    def hash(self) -> str:
        """Changes with any word of any category, but not with the file's layout."""
        return digest(self.content)

    @property
    def content(self) -> str:
        return self.model_dump_json()

    @cached_property
    def by_id(self) -> dict[str, Category]:
        return {c.id: c for c in self.categories}

    @property
    def spans(self) -> tuple[Category, ...]:
        """Categories whose findings point at words of the summary."""
        return tuple(c for c in self.categories if not c.omission_of)

    def omission(self, kind: str) -> Category | None:
        """The category of a summary that lacks a fact of this kind; None if that is no error."""
        return next((c for c in self.categories if kind in c.omission_of), None)

    def __getitem__(self, category_id: str) -> Category:
        """Raises InputError for an unknown category."""
        if category_id not in self.by_id:
            raise InputError(
                f"The taxonomy has no category {category_id!r}.",
                f"It has: {', '.join(self.by_id)}.",
            )
        return self.by_id[category_id]


def load_taxonomy(path: Path = DEFAULT) -> Taxonomy:
    """Read a taxonomy file. Raises ConfigError that lists all its errors."""
    try:
        return parse_taxonomy(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", COMPARE) from error


def parse_taxonomy(text: str, origin: str | Path) -> Taxonomy:
    """A taxonomy from YAML. Raises ConfigError that lists all its errors."""
    try:
        return Taxonomy.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin} cannot be read: {error}.", COMPARE) from error
    except ValidationError as error:
        raise ConfigError(f"{origin}: {validation_message(error)}", COMPARE) from error


COMPARE = "Compare it with the taxonomy.yaml that ARF Studio ships (`arf taxonomy` prints it)."
