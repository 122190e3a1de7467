"""Typer options made from the settings records of the verbs."""

import inspect
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal, get_args, get_origin

import typer

from arf_core.jobs.command_line import Option, nested, options_of
from arf_core.run import VerbSettings

Command = Callable[..., None]
Folder = typer.Argument(..., metavar="DIR", help="The project's folder.")


def from_settings(record: type[VerbSettings]) -> Callable[[Command], Command]:
    """Replace a command's parameter `settings` by one option for each field of `record`.

    The command is called with the record. Values that do not fit are an InputError that lists them.
    """
    options = options_of(record)

    def decorate(command: Command) -> Command:
        def call(**given: Any) -> None:
            parsed = {o.path: o.parse(given.pop(o.name)) for o in options}
            values = {path: value for path, value in parsed.items() if value is not None}
            command(settings=record.of(None, nested(values)), **given)

        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command).parameters.values():
            if parameter.name == "settings":
                parameters += map(_parameter, options)
            else:  # after options, which are by keyword alone
                parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
        call.__name__, call.__doc__ = command.__name__, command.__doc__
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {p.name: p.annotation for p in parameters}
        return call

    return decorate


def _parameter(option: Option) -> inspect.Parameter:
    """A Typer parameter; an absent option is None, so that the record's default holds."""
    kind = list.__class_getitem__(_listed(option.type)) if option.many else option.type
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=typer.Option(
            None,
            *option.names,
            help=option.help + _default(option),
            metavar="NAME=VALUE" if option.pairs else None,
        ),
        annotation=kind | None,
    )


def _listed(kind: Any) -> Any:
    """The type of a list's values: Typer takes an enum in place of a Literal."""
    if get_origin(kind) is not Literal:
        return kind
    return StrEnum("Choice", {value: value for value in get_args(kind)})


def _default(option: Option) -> str:
    if isinstance(option.default, bool) or not option.default:
        return ""
    values = option.default if option.many else [option.default]
    return f" (default: {', '.join(map(str, values))})"
