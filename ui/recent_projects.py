"""The project folders that the app knows: a small file in the user's own configuration folder.

`ARF_CONFIG_DIR` puts it elsewhere; `ARF_PROJECT` names one that is known without being listed, and
opened first (the sample, where `make app` made it).
"""

import json
import os
from pathlib import Path

import typer

from arf_core.errors import ConfigError
from arf_core.project import SETTINGS_FILE

MOST = 50


def known_file() -> Path:
    """Where the list is kept."""
    folder = os.environ.get("ARF_CONFIG_DIR") or typer.get_app_dir("arf-studio")
    return Path(folder) / "projects.json"


def known_projects() -> list[Path]:
    """The folders that still hold a project: the one that `ARF_PROJECT` names, as who starts the
    app with it asks for that one, then the last opened first.

    Raises ConfigError where the file cannot be read.
    """
    given = os.environ.get("ARF_PROJECT")
    known = [*([Path(given).resolve()] if given else []), *_listed()]
    return [path for path in dict.fromkeys(known) if (path / SETTINGS_FILE).is_file()]


def remember(path: Path) -> None:
    """Put a folder at the head of the list."""
    path = path.resolve()
    listed = _listed()
    if listed[:1] != [path]:
        _write([path, *(p for p in listed if p != path)])


def forget(path: Path) -> None:
    """Take a folder off the list. Nothing in it is touched."""
    path = path.resolve()
    _write([p for p in _listed() if p != path])


def _listed() -> list[Path]:
    file = known_file()
    if not file.exists():
        return []
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return [Path(p) for p in data["projects"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"The list of known projects {file} cannot be read: {error!r}.",
            "Delete the file; projects themselves are not in it.",
        ) from error


def _write(paths: list[Path]) -> None:
    file = known_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    # its own name for each process: two windows may write at once, and the last word stands
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    text = json.dumps({"projects": [str(p) for p in paths[:MOST]]}, indent=1)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
