"""Revision rounds: what makes a round, and the system that it becomes."""

from collections.abc import Sequence

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import Record, System, digest
from arf_core.revision.editors import Editor
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import CHECKS, detectors_of, find_system, require_detectors, version


class RoundSettings(Record):
    """What makes a revision round; stored with it."""

    parent: str
    detectors: tuple[str, ...]
    """Detectors whose findings are answered; none for an untargeted editor."""
    categories: tuple[str, ...] | None
    """Only these categories; None for all."""
    editor: str
    editor_settings: str
    taxonomy_hash: str


def new_round(
    project: Project,
    system: str,
    editor: Editor,
    detectors: Sequence[str] = (),
    categories: Sequence[str] | None = None,
) -> RoundSettings:
    """The settings of a round of `system`, with the detectors chosen where none are given.

    Raises InputError for an unknown name, and where the choice of detector is unclear.
    """
    parent = find_system(project.store, system)
    chosen = None if categories is None else tuple(project.taxonomy[c].id for c in categories)
    return RoundSettings(
        parent=system,
        detectors=_detectors(project.store, parent, detectors) if editor.targeted else (),
        categories=chosen,
        editor=editor.name,
        editor_settings=editor.settings,
        taxonomy_hash=project.taxonomy.hash,
    )


def _detectors(store: Store, parent: System, given: Sequence[str]) -> tuple[str, ...]:
    require_detectors(store, parent.name, given)
    if given:
        return tuple(given)
    known = detectors_of(store, parent.name, checks=True)
    checks = [d for d in known if d.startswith(CHECKS)]
    choice = checks or known
    if len(choice) != 1:
        raise InputError(
            f"Choose the detectors whose findings on {parent.name!r} are answered.",
            f"Give --detector with one or more of: {', '.join(choice)}."
            if choice
            else f"No detector has read {parent.name!r}: run arf analyze first.",
        )
    return tuple(choice)


def add_system(project: Project, into: str, settings: RoundSettings, editor: Editor) -> None:
    """Enter the round's system. Raises InputError where another system has its name."""
    content = settings.model_dump_json()
    system = System(
        name=into,
        kind="revision" if editor.targeted else "rewrite",
        parent=settings.parent,
        model=editor.name,
        settings_hash=digest(content),
    )
    existing = project.store.get(System, schema.system.c.name == into)
    if existing is not None and existing != system:
        raise InputError(
            f"There is already a system {into!r} with other settings.",
            "Give the new round another name: --into NAME.",
        )
    project.store.keep_version("round", content, system.settings_hash)
    project.store.keep_version("taxonomy", project.taxonomy.content, project.taxonomy.hash)
    project.store.add([system])


def settings_of(store: Store, system: System) -> RoundSettings | None:
    """How a round was made; None where the system is not a round."""
    if system.kind not in ("revision", "rewrite"):
        return None
    content = version(store, system.settings_hash)
    return None if content is None else RoundSettings.model_validate_json(content)
