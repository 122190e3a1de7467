"""Settings, Categories: the unsaved taxonomy of a project.

A draft is YAML text, so that the form and the text are two views of one thing, and even an invalid
draft can be kept and shown.
"""

from typing import Any

import yaml

from arf_core.project import Project
from ui.state import state

CategoryFields = dict[str, Any]
"""A category as the draft has it, perhaps invalid."""


def find(project: Project) -> str | None:
    """The project's draft, if there is one."""
    return state().settings.drafts.get(str(project.path))


def keep(project: Project, categories: list[CategoryFields]) -> None:
    """Make these categories the draft."""
    text = yaml.safe_dump(
        {"categories": categories}, sort_keys=False, allow_unicode=True, width=100
    )
    keep_text(project, text)


def keep_text(project: Project, text: str) -> None:
    """Make this text the draft."""
    state().settings.drafts[str(project.path)] = text


def discard(project: Project) -> None:
    """Drop the draft."""
    state().settings.drafts.pop(str(project.path), None)


def categories_in(text: str) -> list[CategoryFields] | None:
    """The draft's categories, invalid ones too; None if it is not a list of categories."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    rows = data.get("categories") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
        return None
    return rows
