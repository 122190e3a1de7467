"""The list of recent projects, a small file in the user's configuration folder.

`ARF_CONFIG_DIR` sets another folder. `ARF_PROJECT` names a project to open first, listed or not:
`make app` sets it to the sample.
"""

import json
import os
from pathlib import Path

import typer

from arf_core.errors import ConfigError
from arf_core.project import SETTINGS_FILE

MOST = 50


def _list_file() -> Path:
    folder = os.environ.get("ARF_CONFIG_DIR") or typer.get_app_dir("arf-studio")
    return Path(folder) / "projects.json"


def recent_projects() -> list[Path]:
    """Folders that still hold a project: the one `ARF_PROJECT` names, then the last opened first.

    Raises ConfigError if the list cannot be read.
    """
    given = os.environ.get("ARF_PROJECT")
    paths = [*([Path(given).resolve()] if given else []), *_listed()]
    return [path for path in dict.fromkeys(paths) if (path / SETTINGS_FILE).is_file()]


def remember(path: Path) -> None:
    """Move a folder to the top of the list."""
    path = path.resolve()
    listed = _listed()
    if listed[:1] != [path]:
        _write([path, *(p for p in listed if p != path)])


def forget(path: Path) -> None:
    """Remove a folder from the list. The folder itself stays as it is."""
    path = path.resolve()
    _write([p for p in _listed() if p != path])


def _listed() -> list[Path]:
    file = _list_file()
    if not file.exists():
        return []
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return [Path(p) for p in data["projects"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"The list of recent projects, {file}, cannot be read: {error!r}.",
            "Delete the file. No project is lost by that.",
        ) from error


def _write(paths: list[Path]) -> None:
    file = _list_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    # one name for each process: two servers may write at once, and the later one wins
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    text = json.dumps({"projects": [str(p) for p in paths[:MOST]]}, indent=1)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
