"""JSON read value by value from a text of any length, so that a large array is never held whole."""

import json
from collections.abc import Iterator
from typing import Any, TextIO

from arf_core.errors import InputError
from arf_core.importing.rows import LONGEST_ROW, too_long
from arf_core.text import shortened

LARGEST_VALUE = LONGEST_ROW
"""One element of the outermost list."""
DEEPEST = 200
"""Levels of lists and objects; as many as in a line of JSONL."""
_FIRST_READ = 2**18
_SPACE = " \t\n\r\ufeff"
_DECODER = json.JSONDecoder()


class JsonText:
    """A place in a JSON text. `line` is the line of that place, from 1; `passed` counts the
    characters before it."""

    def __init__(self, text: TextIO, name: str) -> None:
        self.name = name
        self.line = 1
        self.passed = 0
        self._text = text
        self._buffer = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is no white space; "" at the end."""
        while True:
            rest = self._buffer[self._at : self._at + 4096]
            bare = rest.lstrip(_SPACE)
            self._move(self._at + len(rest) - len(bare))
            if bare:
                return bare[0]
            if self._at >= len(self._buffer) and not self._fill():
                return ""

    def take(self, char: str) -> None:
        """Pass over `char`. Raises InputError for another character."""
        seen = self.peek()
        if seen != char:
            raise self.fault(f"{char} is expected, {shortened(seen) or 'the end of the file'} seen")
        self._move(self._at + 1)

    def value(self) -> Any:
        """The next value. Raises InputError where it is not JSON, or larger than can be held."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                fault = self.fault(error.msg, error.pos)
                if self._is_wrong_for_good(error) or not self._fill():
                    raise fault from error
            except RecursionError as error:
                raise self.fault("values are nested too deeply") from error
            except ValueError as error:  # an integer of thousands of digits
                raise self.fault(str(error)) from error
            else:
                # a number at the very end of what was read may go on
                if end < len(self._buffer) or not self._fill():
                    return self._taken(value, end)

    def _taken(self, value: Any, end: int) -> Any:
        opened = sum(self._buffer.count(sign, self._at, end) for sign in "[{")
        if opened > DEEPEST and _is_deeper(value, DEEPEST):
            raise self.fault("values are nested too deeply")
        self._move(end)
        return value

    def elements(self) -> Iterator[tuple[int, Any]]:
        """The elements of the list that begins here, each with its line."""
        self.take("[")
        if self.peek() == "]":
            return self.take("]")
        while True:
            self.peek()
            line = self.line
            yield line, self.value()
            if self.peek() != ",":
                return self.take("]")
            self.take(",")

    def entries(self) -> Iterator[str]:
        """The keys of the object that begins here. The caller takes each value before the next."""
        self.take("{")
        if self.peek() == "}":
            return self.take("}")
        while True:
            if self.peek() != '"':
                raise self.fault("a key in quotation marks is expected")
            key = self.value()
            self.take(":")
            yield key
            if self.peek() != ",":
                return self.take("}")
            self.take(",")

    def fault(self, what: str, at: int | None = None) -> InputError:
        """An InputError that names the line."""
        line = self.line
        if at is not None:
            line += self._buffer.count("\n", self._at, max(at, self._at))
        return InputError(
            f"{self.name} is not valid JSON: {what} (line {line}).",
            "Mend that place, or write one object a line (JSONL), where a bad line costs only "
            "itself.",
        )

    def _is_wrong_for_good(self, error: json.JSONDecodeError) -> bool:
        """Would more text not help? The fault is no unfinished string, and not near the end."""
        unfinished = error.msg.startswith(("Unterminated string", "Invalid \\"))
        return not unfinished and error.pos < len(self._buffer) - 16

    def _fill(self) -> bool:
        """Read on, twice as much each time a value needs it."""
        if self._ended:
            return False
        self._buffer = self._buffer[self._at :]
        self._at = 0
        if len(self._buffer) > LARGEST_VALUE:
            raise too_long(f"The value on line {self.line} of {self.name}")
        room = LARGEST_VALUE + 1 - len(self._buffer)
        more = self._text.read(min(max(_FIRST_READ, len(self._buffer)), room))
        self._ended = not more
        self._buffer += more
        return bool(more)

    def _move(self, to: int) -> None:
        self.line += self._buffer.count("\n", self._at, to)
        self.passed += to - self._at
        self._at = to


def _is_deeper(value: Any, levels: int) -> bool:
    """Are lists and objects nested deeper than `levels`? Level by level, without recursion."""
    layer = [value]
    for _ in range(levels + 1):
        inner = [v.values() if isinstance(v, dict) else v for v in layer]
        layer = [x for v in inner for x in v if isinstance(x, dict | list)]
        if not layer:
            return False
    return True
