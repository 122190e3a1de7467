"""Data sets of the Hugging Face hub, and folders in its layouts, through `datasets`."""

import json
import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from arf_core.errors import InputError
from arf_core.importing.files import Given
from arf_core.importing.json_rows import Item, table_of
from arf_core.importing.report import shortened
from arf_core.importing.rows import Reject, Table
from arf_core.project.privacy import HUB_HOST, admit_host, host_of, hub_address
from arf_core.project.settings import PrivacySettings


def open_dataset(given: Given, privacy: PrivacySettings) -> list[Table]:
    """One table for each split. A data set of the hub is streamed, never stored by us.

    Raises InputError where it is not there, cannot be reached, or cannot be read, and ModelError
    where the project's privacy settings keep it from the hub.
    """
    for host in _hosts(given):
        instead = "Download its files on another machine and give those"
        admit_host(host, privacy, f"The data set {shortened(given.path, 200)} is at", instead)
    with _told(given.path):
        splits = _splits(given)
    return [
        table_of(name, _items(given.path, name, rows), split=name) for name, rows in splits.items()
    ]


def _hosts(given: Given) -> set[str]:
    """Where the data lie: the hub, or for a folder the addresses that its card names as data."""
    place = Path(given.path)
    if not place.is_dir():
        return {host_of(hub_address())}
    card = place / "README.md"
    return _hosts_in(card) if card.is_file() else set()


def _hosts_in(card: Path) -> set[str]:
    """The hosts from which a data set's card has its files fetched."""
    head = re.match(r"---\n(.*?)\n---", card.read_text("utf-8", "replace"), re.DOTALL)
    try:
        said = yaml.safe_load(head.group(1)) if head else None
    except yaml.YAMLError:
        return set()  # `datasets` cannot read it either, and says so
    configs = json.dumps(said.get("configs"), default=str) if isinstance(said, dict) else ""
    addresses = re.findall(r'[a-z0-9+]+://[^\s"]*', configs, re.IGNORECASE)
    return {HUB_HOST if a.startswith("hf:") else host_of(a) for a in addresses}


def _splits(given: Given) -> dict[str, Iterable[dict[str, Any]]]:
    import datasets

    place = Path(given.path)
    if place.is_dir() and {"dataset_dict.json", "state.json"} & {p.name for p in place.iterdir()}:
        found = datasets.load_from_disk(given.path)
        return dict(found) if isinstance(found, dict) else {given.source: found}
    return dict(datasets.load_dataset(given.path, streaming=True))


def _items(path: str, split: str, rows: Iterable[dict[str, Any]]) -> Any:
    def items(reject: Reject) -> Generator[Item, None, None]:
        with _told(f"{path} ({split})"):
            yield from enumerate(rows, 1)

    return items


@contextmanager
def _told(path: str) -> Generator[None, None, None]:
    """Whatever `datasets` raises comes from the data or the network, and is told as such."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"The data set {shortened(path, 200)} cannot be read: "
            f"{type(error).__name__}: {shortened(str(error), 300)}",
            "Check its name (owner/name), the network, and `hf auth login` if it is private; or "
            "download its files and give those.",
        ) from error
