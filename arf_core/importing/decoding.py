"""Bytes to text, strictly: a byte that does not fit stops the import, and is never replaced."""

import codecs
import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TextIO

from arf_core.errors import InputError
from arf_core.importing.files import Member
from arf_core.importing.rows import LONGEST_ROW, too_long

LONGEST_LINE = LONGEST_ROW
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 2**16


@contextmanager
def opened_text(member: Member, encoding: str | None) -> Iterator[TextIO]:
    """The text of a file, line ends as they stand. Without `encoding`: by its mark, else UTF-8.

    Raises InputError that names the line and a likely encoding where the bytes do not fit.
    """
    with member.opened() as stream:
        head = stream.peek(4)
        if len(head) < 4:  # the mark of a file that trickles in is found by reading it
            with member.opened() as other:
                head = other.read(4)
        name = _encoding(head, encoding)
        try:
            with io.TextIOWrapper(stream, name, "strict", "") as text:
                yield text
        except UnicodeError as error:
            raise _fault(member, name) from error


def lines(text: TextIO, name: str) -> Generator[str, None, None]:
    """The lines of a text with their ends. Raises InputError for one that cannot be a row."""
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise too_long(f"Line {number} of {name}")
        yield line


def _encoding(head: bytes, said: str | None) -> str:
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if said is None:
        return marked or "utf-8"
    try:
        "".encode(said)
        codecs.lookup(said)
    except (LookupError, UnicodeError) as error:
        raise InputError(
            f"There is no encoding {said!r}.", "Usual ones: utf-8, utf-16, cp1252, shift_jis."
        ) from error
    same = codecs.lookup(said).name == (marked or "").removesuffix("-sig")
    return marked if marked and same else said


def _fault(member: Member, encoding: str) -> InputError:
    """Where the bytes stop to fit, and in which encoding they would."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line = 1
    before = b""
    with member.opened() as stream:
        while True:
            chunk = stream.read(_CHUNK)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                good, rest = error.object[: error.start], error.object[error.start :]
                line += good.decode(encoding, "ignore").count("\n")
                return _described(member.name, encoding, line, rest, before + good)
            except UnicodeError:
                return _described(member.name, encoding, line, chunk, before)
            before = chunk
            if not chunk:
                return _described(member.name, encoding, line, b"", before)


def _described(name: str, encoding: str, line: int, rest: bytes, good: bytes) -> InputError:
    likely = _likely(good[-1000:] + rest[:2000])
    seen = f"byte 0x{rest[0]:02x}" if rest else "the end of the file"
    return InputError(
        f"{name} is not {encoding.removesuffix('-sig')} text: {seen} on line {line} does not fit.",
        f"It looks like {likely}; if so, give --encoding {likely}."
        if likely
        else "Say which encoding it has with --encoding.",
    )


def _likely(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes

    if sample.count(0) > len(sample) // 4:
        return "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
    best = from_bytes(sample, cp_exclusion=["utf_8", "ascii"]).best()
    return best.encoding if best else None
