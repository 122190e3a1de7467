"""One error type for everything a user can mend: what happened, and what to do about it.

Bugs are not wrapped: an exception that is no `ArfError` is ours to fix, and crashes.
"""

import errno
from typing import Any, Literal

from pydantic import ValidationError

FailureReason = Literal[
    "truncated",  # the reply stopped at the token limit
    "schema",  # the reply could not be read as what was asked for, twice
    "refused",  # the model declined
    "timeout",
    "context",  # the input is longer than the model's context
    "server",  # the server answered with an error, or not at all
    "not_recorded",  # a replay model has no recording for this request
    "not_analysed",  # nobody has read the summary that was to be revised
]
"""Why a model's answer is missing. Kept with the item, shown wherever it is counted."""


class ArfError(Exception):
    """Something the user can act on. `hint` says what to do."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class InputError(ArfError):
    """A file, a flag or a value from outside cannot be used."""


class ConfigError(ArfError):
    """arf.toml, taxonomy.yaml or a prompt of the project is wrong."""


class StoreError(ArfError):
    """The project's database cannot be opened or written."""


class MissingExtra(ArfError):
    """A part that is installed separately is not there."""


class ReplyError(ArfError):
    """A model's reply does not hold what was asked for. The message is shown to the model once."""


class ModelError(ArfError):
    """A call to a model failed.

    `retryable` says whether the same call may succeed later, `retry_after` (seconds) when the
    server said so, `overloaded` that fewer calls at once may help. `fatal` means that no further
    call can succeed either (a wrong key, an unknown model): the run stops and says so, instead of
    failing every item.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        reason: FailureReason = "server",
        retryable: bool = False,
        retry_after: float | None = None,
        overloaded: bool = False,
        fatal: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.reason: FailureReason = reason
        self.retryable = retryable
        self.retry_after = retry_after
        self.overloaded = overloaded
        self.fatal = fatal


def in_one_line(error: Exception) -> str:
    """What a library's error says, short enough for a message."""
    return " ".join(str(error).split())[:300] or type(error).__name__


_OF_SYSTEM = {
    errno.EACCES: "You may not write or read there: choose another place, or change its rights.",
    errno.EPERM: "You may not write or read there: choose another place, or change its rights.",
    errno.EROFS: "That place can only be read: choose another.",
    errno.ENOSPC: "The disk is full: make room, then start again. What is stored is kept.",
    errno.EDQUOT: "Your share of the disk is used up: make room, then start again.",
    errno.ENOENT: "Look at the path: a part of it does not exist.",
    errno.ENOTDIR: "Look at the path: a part of it is a file, not a folder.",
    errno.EISDIR: "That is a folder: name a file in it.",
    errno.EEXIST: "Something of that name is there already: choose another name.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.EMFILE: "Too many files are open: close other programs, or raise `ulimit -n`.",
}


def of_system(error: OSError) -> ArfError:
    """What the operating system refused, in words, with what to do about it."""
    reason = error.strerror or str(error) or type(error).__name__
    where = f": {error.filename}" if error.filename else ""
    hint = _OF_SYSTEM.get(error.errno or 0, "Start again; if it stays so, look at the machine.")
    return InputError(f"{reason}{where}.", hint)


def validation_message(error: ValidationError) -> str:
    """Every error of a validation, one a line, as `field: what is wrong`."""

    def line(fault: Any) -> str:
        field = ".".join(str(part) for part in fault["loc"])
        return f"{field}: {fault['msg']}" if field else str(fault["msg"])

    lines = [line(f) for f in error.errors()]
    return lines[0] if len(lines) == 1 else "\n  " + "\n  ".join(lines)
