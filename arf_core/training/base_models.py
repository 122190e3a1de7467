"""Base models: presets, practice bases, the closed world's base, folders, and hub ids."""

import re
from pathlib import Path
from typing import Any

import yaml

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.project.privacy import admit_host, host_of, hub_address
from arf_core.records import Record
from arf_core.training.model_shape import ModelShape, shape_of
from arf_core.training.practice import is_practice, practice_base, practice_folder, practice_shape
from arf_core.training.settings import CLOSED_WORLD, FAMILIES, practice_family

CLOSED_WORLD_FOLDER = (
    Path(__file__).resolve().parents[2] / "examples" / "closed_world" / CLOSED_WORLD
)


class Preset(Record):
    """A base model offered by name."""

    name: str
    base: str
    """Its id on the Hugging Face hub."""
    licence: str
    why: str
    """What to choose it for."""
    shape: ModelShape


PRESETS = tuple(
    Preset.model_validate(entry)
    for entry in yaml.safe_load((Path(__file__).parent / "presets.yaml").read_text("utf-8"))
)


def preset(name: str) -> Preset | None:
    """The preset with this name or hub id, if there is one."""
    return next((p for p in PRESETS if name in (p.name, p.base)), None)


def known_shape(base: str) -> ModelShape | None:
    """The shape of a base by its name, before it is opened; None where it is not known."""
    if practice_family(base):
        return practice_shape()
    if known := preset(base):
        return known.shape
    return shape_of(closed_world_base() if base == CLOSED_WORLD else base)


def find_base(project: Project, base: str) -> tuple[str, str]:
    """Folder or hub id of a base, and its licence; a practice base is made if necessary.

    Raises InputError for an unknown base, ModelError where the project's privacy settings forbid
    the hub.
    """
    if family := practice_family(base):
        return str(practice_base(project, family).resolve()), "Apache-2.0"
    folder = closed_world_base() if base == CLOSED_WORLD else Path(base).expanduser()
    if (folder / "config.json").is_file():
        return str(folder.resolve()), _licence(folder)
    known = preset(base)
    if folder.exists() or (known is None and base.count("/") != 1):
        raise InputError(
            f"No base model at {base!r}: not a folder with config.json, a hub id, a preset, "
            "practice, or closed-world.",
            "List the presets with: arf finetune DIR --bases",
        )
    admit_host(
        host_of(hub_address()),
        project.settings.privacy,
        f"{base} is at",
        "Copy it here another way and give its folder",
    )
    return (known.base, known.licence) if known else (base, "see the base's own page")


def name_of_base(project: Project, base: str) -> str:
    """The name that gives this base in a command: the inverse of `find_base`."""
    if Path(base) == CLOSED_WORLD_FOLDER:
        return CLOSED_WORLD
    for name in ("practice", *(f"practice-{family}" for family in FAMILIES)):
        if base == str(practice_folder(project, practice_family(name) or "").resolve()):
            return name
    return base


def closed_world_base() -> Path:
    """The base in examples/closed_world. Raises InputError without the examples."""
    if not is_practice(CLOSED_WORLD_FOLDER):
        raise InputError(
            "The examples are not installed with the package.",
            "Run this from a clone of the repository, or use another base.",
        )
    return CLOSED_WORLD_FOLDER


def describe_practice(base: str) -> str:
    """What a practice base can do, for readers who see a student of it."""
    if Path(base).name == CLOSED_WORLD:
        return (
            "Its base is small and has read nothing but 28,000 generated conversations of the "
            "closed world example: it knows their language and no other."
        )
    return (
        "Its base is tiny and was made from nothing: it shows the path, and its texts are no "
        "summaries."
    )


def _licence(folder: Path) -> str:
    """The licence in the head of the model card."""
    if is_practice(folder):
        return "Apache-2.0"
    licence = _card_head(folder / "README.md").get("license")
    names = licence if isinstance(licence, list) else [licence]
    return ", ".join(n for n in names if isinstance(n, str)) or "not stated in its folder"


def _card_head(card: Path) -> dict[str, Any]:
    """The YAML between the two lines of dashes at the top; empty where it is broken."""
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    head = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    try:
        values = yaml.safe_load(head.group(1)) if head else None
    except yaml.YAMLError:
        return {}
    return values if isinstance(values, dict) else {}
