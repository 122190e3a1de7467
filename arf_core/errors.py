"""One error type for everything a user can mend: what happened, and what to do about it.

Bugs are not wrapped: an exception that is no `ArfError` is ours to fix, and crashes.
"""

from typing import Literal

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
