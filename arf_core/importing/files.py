"""The files that were given, folders and archives included, opened as plain streams of bytes.

Nothing is ever unpacked to disk; the names inside an archive are only shown.
"""

import gzip
import io
import lzma
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from arf_core.errors import InputError
from arf_core.text import shortened

MAX_RATIO = 200
"""Text shrinks 4 to 30 times, and rarely 100; a bomb 1,000 times."""
FREE_BYTES = 64 * 2**20
"""So much may come out of an archive before the ratio counts."""
SUFFIXES = {".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".parquet"}
"""What is picked out of a folder or an archive. A file given by its own name may have any."""
ARCHIVES = {".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".bz2", ".xz", ".zst"}
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_DAMAGE = (
    EOFError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    NotImplementedError,  # zipfile, of a version number that does not exist
)
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}


@dataclass(frozen=True)
class Member:
    """One file to read, on its own or inside a zip."""

    path: Path
    entry: zipfile.ZipInfo | None = None
    """Its place in the zip."""
    root: Path | None = None
    """The folder that was given."""

    @property
    def name(self) -> str:
        """For people, and for the ids of rows without one: printable, and different for each file
        of a folder or an archive."""
        location = self.path.relative_to(self.root).as_posix() if self.root else self.path.name
        if self.entry is None:
            return shortened(location, 200)
        inner = self.entry.filename
        return shortened(f"{location}/{inner}" if self.root else inner, 200)

    @contextmanager
    def opened(self) -> Iterator[io.BufferedReader]:
        """Its bytes, decompressed. Raises InputError for what cannot be decompressed."""
        with reading(self.name), ExitStack() as stack:
            plain = stack.enter_context(self.path.open("rb"))
            if self.entry is not None:
                stream = stack.enter_context(_unzipped(plain, self.entry))
                yield _guarded(stream, self.name, self.entry.compress_size)
                return
            if plain.peek(2)[:2] != b"\x1f\x8b":
                yield plain
                return
            unzipped = stack.enter_context(gzip.GzipFile(fileobj=plain))
            yield _guarded(unzipped, self.name, os.fstat(plain.fileno()).st_size)


@dataclass(frozen=True)
class Given:
    """One path as the user gave it, with the files behind it."""

    path: str
    source: str
    members: tuple[Member, ...] = ()
    picked: bool = False
    """The files were picked from a folder or an archive, so one of another kind may be skipped."""
    skipped: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Entries of archives that systems leave behind, by their name."""
    dataset: bool = False
    """To be read through Hugging Face `datasets`."""


def stem(name: str) -> str:
    """The name without the suffixes that files of data have."""
    path = PurePosixPath(name)
    while path.suffix.lower() in SUFFIXES | ARCHIVES and path.stem:
        path = path.with_suffix("")
    return path.name


def given(path: str | Path) -> Given:
    """The files behind one path: a file, an archive, a folder, or a name on the hub.

    Raises InputError where there is nothing to read.
    """
    location = Path(path)
    with reading(str(path)):
        if location.is_dir():
            return _folder(location)
        if location.exists():
            return _file(location)
    if str(path).startswith("hf:") or HUB_NAME.fullmatch(str(path)):
        name = str(path).removeprefix("hf:")
        if stem(name) == name.rpartition("/")[2]:
            return Given(name, name.rpartition("/")[2], dataset=True)
    raise InputError(
        f"There is no file {shortened(str(path), 200)}.",
        "Check the name. A data set of the Hugging Face hub is given as owner/name.",
    )


def _file(path: Path) -> Given:
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(f"{path} is no regular file.", "Save the data in a file first.")
    with path.open("rb") as stream:
        head = stream.read(4)
    if head == b"PK\x03\x04" or path.suffix.lower() == ".zip":
        return _archive(path)
    return Given(str(path), stem(path.name), (Member(path),))


def _folder(path: Path) -> Given:
    names = {entry.name for entry in path.iterdir()}
    if names & {"dataset_dict.json", "state.json"} or _is_hub_layout(path, names):
        return Given(str(path), path.resolve().name, dataset=True)
    files = [Path(root) / name for root, _, found in os.walk(path) for name in found]
    visible = sorted(f for f in files if not _hidden(f.relative_to(path).parts))
    members: list[Member] = []
    skipped: list[str] = []
    hidden: list[str] = []
    for file in visible:
        if file.suffix.lower() == ".zip" and file.is_file():
            inside = _archive(file)
            members += [replace(m, root=path) for m in inside.members]
            skipped += inside.skipped
            hidden += inside.hidden
        elif _readable(file.name) and file.is_file():
            members.append(Member(file, root=path))
        else:
            skipped.append(str(file.relative_to(path)))
    if not members:
        raise InputError(
            f"{path} holds no file that can be read (found: {some(skipped)}).",
            f"Readable are {', '.join(sorted(SUFFIXES))}, also with .gz or in a .zip.",
        )
    name = path.resolve().name
    return Given(str(path), name, tuple(members), True, tuple(skipped), tuple(hidden))


def _is_hub_layout(path: Path, names: set[str]) -> bool:
    """Is there a data set card that says which files are which split?"""
    if "README.md" not in names:
        return False
    head = (path / "README.md").read_bytes()[:20_000].decode("utf-8", "replace")
    front = head.split("\n---", 1)[0] if head.startswith("---") else ""
    return re.search(r"^(configs|dataset_info):", front, re.MULTILINE) is not None


def _archive(path: Path) -> Given:
    with reading(path.name):
        with zipfile.ZipFile(path) as archive:
            infos = [i for i in archive.infolist() if not i.is_dir()]
        _no_office_file(path, [i.filename for i in infos])
        members: list[Member] = []
        skipped: list[str] = []
        hidden: list[str] = []
        for info in infos:
            # some programs on Windows write backslashes; nothing is unpacked, so any name is safe
            location = PurePosixPath(info.filename.replace("\\", "/"))
            if _hidden(location.parts):
                hidden.append(shortened(info.filename))
            elif not _readable(location.name, inside=True):
                skipped.append(shortened(info.filename))
            else:
                _check_readable(path, info)
                members.append(Member(path, info))
    found = [*skipped, *hidden]
    nested = [name for name in found if PurePosixPath(name).suffix.lower() in ARCHIVES]
    if nested:
        raise InputError(
            f"{path.name} holds another archive: {some(nested)}.",
            "Unpack the outer archive and give what is inside.",
        )
    if not members:
        raise InputError(
            f"{path.name} holds no file that can be read (found: {some(found)}).",
            f"Readable are {', '.join(sorted(SUFFIXES))}.",
        )
    return Given(str(path), stem(path.name), tuple(members), True, tuple(skipped), tuple(hidden))


def _unzipped(plain: BinaryIO, entry: zipfile.ZipInfo) -> zipfile.ZipExtFile:
    """The stream of an entry, by its local header. The archive's own list of entries, which
    may be long, is not read once more for each."""
    plain.seek(entry.header_offset)
    head = plain.read(30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"no entry begins at byte {entry.header_offset}")
    name, extra = struct.unpack("<HH", head[26:])
    plain.seek(name + extra, os.SEEK_CUR)
    return zipfile.ZipExtFile(plain, "r", entry)


def _check_readable(path: Path, info: zipfile.ZipInfo) -> None:
    name = shortened(info.filename)
    if info.flag_bits & 1:
        raise InputError(
            f"{name} in {path.name} is encrypted.", "Make an archive without a password."
        )
    if info.compress_type not in _METHODS:
        raise InputError(
            f"{name} in {path.name} is compressed by a method that is not known here "
            f"(number {info.compress_type}).",
            "Make the archive with plain zip (deflate).",
        )


def _no_office_file(path: Path, names: list[str]) -> None:
    if "[Content_Types].xml" not in names:
        return
    kind = "an Excel workbook" if any(n.startswith("xl/") for n in names) else "an Office document"
    raise InputError(f"{path.name} is {kind}.", "Open it and export the sheet as CSV (UTF-8).")


def _readable(name: str, inside: bool = False) -> bool:
    path = PurePosixPath(name.lower())
    if path.suffix == ".gz" and not inside:
        path = path.with_suffix("")
    return path.suffix in SUFFIXES


def _hidden(parts: tuple[str, ...]) -> bool:
    # what systems leave behind: .DS_Store, .git, __MACOSX
    return any(p.startswith((".", "__MACOSX")) and p not in (".", "..") for p in parts)


def some(names: Sequence[str], most: int = 8) -> str:
    """Names for people: the first, and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) + more) if names else "nothing"


def _guarded(stream: io.BufferedIOBase, name: str, packed: int) -> io.BufferedReader:
    return io.BufferedReader(_Guard(stream, name, packed), 2**18)


class _Guard(io.RawIOBase):
    """Stops reading where more comes out of an archive than honest text would."""

    def __init__(self, stream: io.BufferedIOBase, name: str, packed: int) -> None:
        self._stream = stream
        self._name = name
        self._most = max(FREE_BYTES, packed * MAX_RATIO)
        self._out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        n: int = self._stream.readinto(buffer)
        self._out += n
        if self._out > self._most:
            raise InputError(
                f"{self._name} grows to more than {MAX_RATIO} times its size when it is unpacked: "
                "it may be a zip bomb.",
                "If you trust it, unpack it yourself and give the file that comes out.",
            )
        return n


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn the faults of files and archives into InputError."""
    try:
        yield
    except _DAMAGE as error:
        raise InputError(
            f"{shortened(name, 200)} is damaged or cut short: {error}.",
            "Download or compress it again.",
        ) from error
    except OSError as error:
        raise InputError(
            f"{shortened(name, 200)} cannot be read: {error.strerror or error}.",
            "Check that the file is there and may be read.",
        ) from error
