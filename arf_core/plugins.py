"""Plug-ins: each module of a plug-in folder is one, and its file name is its name."""

import pkgutil
from importlib import import_module
from types import ModuleType

from arf_core.errors import InputError


def names(package: str) -> list[str]:
    """The plug-ins in a package, sorted."""
    return sorted(m.name for m in pkgutil.iter_modules(import_module(package).__path__))


def load_plugin(package: str, name: str, kind: str) -> ModuleType:
    """The plug-in's module. Raises InputError that lists the plug-ins there are."""
    known = names(package)
    if name not in known:
        raise InputError(f"There is no {kind} {name!r}.", f"Use one of: {', '.join(known)}.")
    return import_module(f"{package}.{name}")
