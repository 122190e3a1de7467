"""The base model that a student begins as: made here, an example's, a folder, or on the hub."""

import re
from pathlib import Path
from typing import Any

import yaml

from arf_core.errors import InputError
from arf_core.finetune.practice import closed_world_base, is_practice, practice_base
from arf_core.finetune.settings import CLOSED_WORLD, practice_family, preset
from arf_core.project import Project
from arf_core.project.privacy import admit_host, host_of, hub_address


def find_base(project: Project, base: str) -> tuple[str, str]:
    """Folder or hub id of a base, and its licence. `practice` and `practice-qwen3` are made,
    `closed-world` is part of the examples.

    Raises InputError where there is no such folder, ModelError where the project's privacy keeps it
    from the hub.
    """
    if family := practice_family(base):
        return str(practice_base(project, family).resolve()), "Apache-2.0"
    folder = closed_world_base() if base == CLOSED_WORLD else Path(base).expanduser()
    if (folder / "config.json").is_file():
        return str(folder.resolve()), _licence(folder)
    known = preset(base)
    if folder.exists() or (known is None and base.count("/") != 1):
        raise InputError(
            f"No base model at {base!r}: a folder with config.json, an id on the Hugging Face hub, "
            "a preset's name, practice, or closed-world.",
            "See them with: arf finetune DIR --bases",
        )
    admit_host(
        host_of(hub_address()),
        project.settings.privacy,
        f"{base} is at",
        "Copy it here another way and give its folder",
    )
    return (known.base, known.licence) if known else (base, "see the base's own page")


def _licence(folder: Path) -> str:
    """As the head of the model's card says it, if there is one."""
    if is_practice(folder):
        return "Apache-2.0"
    said = _head(folder / "README.md").get("license")
    names = said if isinstance(said, list) else [said]
    return ", ".join(n for n in names if isinstance(n, str)) or "not stated in its folder"


def _head(card: Path) -> dict[str, Any]:
    """The YAML at its beginning, between two lines of dashes; of a broken one nothing."""
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    head = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    try:
        said = yaml.safe_load(head.group(1)) if head else None
    except yaml.YAMLError:
        return {}
    return said if isinstance(said, dict) else {}
