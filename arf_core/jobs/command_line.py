"""Settings records on the command line: their options, and the command that does the same.

An option is written once, as a field of the record: the field's type is the option's, its docstring
the help. `arf_core.cli` makes Typer options from `options_of`; jobs and pages show `command_line`.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from arf_core.errors import InputError
from arf_core.run import Flag, VerbSettings


@dataclass(frozen=True)
class Option:
    """One option of a command, for one field of a settings record."""

    path: tuple[str, ...]
    """The field's name, after the names of the records that hold it."""
    flag: Flag
    type: Any
    """Of one value: str, int, a Literal ..."""
    many: bool
    """The option is repeated, or holds a list with commas."""
    pairs: bool
    """Its values are pairs NAME=VALUE."""
    optional: bool
    default: Any
    help: str

    @property
    def name(self) -> str:
        """The name of the command's parameter."""
        return "_".join(self.path)

    @property
    def names(self) -> tuple[str, ...]:
        """The option as it is declared: `--fresh`, or `--gguf/--no-gguf`."""
        flag = str(self.flag.name)
        both = self.type is bool and self.default is not False
        return (f"{flag}/--no-{flag.removeprefix('--')}" if both else flag,)

    def parse(self, given: Any) -> Any:
        """The field's value from that of the command line; None where the option is absent.

        Raises InputError for a pair without "=".
        """
        if given is None or (self.many and not given):
            return None
        if self.pairs:
            return dict(self._pair(text) for text in given)
        if not self.many:
            return given
        if self.flag.commas:
            given = [part.strip() for text in given for part in text.split(",")]
            return () if given == ["none"] else tuple(given)
        return tuple(given)

    def _pair(self, text: str) -> tuple[str, str]:
        left, equals, right = text.partition("=")
        if not equals or not left:
            flag = self.flag.name
            raise InputError(f"{flag} {text!r} is not a pair.", f"Write {flag} NAME=VALUE.")
        return left, right

    def words(self, value: Any) -> list[str]:
        """The words on the command line that give this value; none for the default."""
        if value == self.default and not self.flag.explicit:
            return []
        flag = str(self.flag.name)
        if value is None:
            return []
        if self.type is bool:
            return [flag if value else f"--no-{flag.removeprefix('--')}"]
        if self.pairs:
            return [word for k, v in value.items() for word in (flag, f"{k}={v}")]
        if self.many and self.flag.commas:
            return [flag, ",".join(value) or "none"]
        values = value if self.many else [value]
        return [word for v in values for word in (flag, str(v))]


@cache
def options_of(record: type[BaseModel]) -> tuple[Option, ...]:
    """The options of a settings record, those of the records in it included, in order."""
    return tuple(_options(record, ()))


def _options(record: type[BaseModel], path: tuple[str, ...]) -> Iterator[Option]:
    for name, field in record.model_fields.items():
        flag = next((m for m in field.metadata if isinstance(m, Flag)), None)
        flag = flag or Flag("--" + name.replace("_", "-"))
        if flag.name is None:
            continue
        inner, optional = _inner(field.annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _options(inner, (*path, name))
        else:
            yield _option((*path, name), field, flag, inner, optional)


def _option(
    path: tuple[str, ...], field: FieldInfo, flag: Flag, inner: Any, optional: bool
) -> Option:
    many, pairs = get_origin(inner) is tuple, get_origin(inner) is dict
    return Option(
        path=path,
        flag=flag,
        type=_inner(get_args(inner)[0])[0] if many else str if pairs else inner,
        many=many or pairs,
        pairs=pairs,
        optional=optional or field.is_required(),
        default=None if field.is_required() else field.get_default(call_default_factory=True),
        help=" ".join((field.description or "").split()),
    )


def _inner(annotation: Any) -> tuple[Any, bool]:
    """The type without None and Annotated, and whether None was allowed."""
    if get_origin(annotation) is Annotated:
        return _inner(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        parts = [a for a in get_args(annotation) if a is not NoneType]
        if len(parts) == 1:
            return _inner(parts[0])[0], len(parts) < len(get_args(annotation))
    return annotation, False


def nested(values: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """Values by path as the nested mappings that records are made from."""
    result: dict[str, Any] = {}
    for path, value in values.items():
        target = result
        for part in path[:-1]:
            target = target.setdefault(part, {})
        target[path[-1]] = value
    return result


def command_line(settings: VerbSettings, project: str | Path, *arguments: str) -> str:
    """The command for a shell that does what `settings` ask of a verb.

    `arguments` follow the project's folder, as the files of an import do.
    """
    words = ["arf", settings.verb, str(project), *arguments]
    for option in options_of(type(settings)):
        value: Any = settings
        for part in option.path:
            value = getattr(value, part)
        words += option.words(value)
    return shlex.join(words)
