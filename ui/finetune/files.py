"""Finetune, Students: a student's files, to download."""

import io
import zipfile
from functools import partial
from pathlib import Path

import streamlit as st

from ui import widgets

LARGEST_DOWNLOAD = 500_000_000
"""Bytes that a browser can take; larger files are copied from their folder."""


def draw(path: Path, shown: str, name: str) -> None:
    """A file or folder with its size, and a download if it is small enough."""
    if not path.exists():
        widgets.text(f"{name} · not found")
        widgets.text(shown, muted=True)
        return
    size = bytes_of(path)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="left"):
        with st.container(width="stretch"):
            widgets.text(f"{name} · {size_in_words(size)}")
            widgets.text(shown, muted=True)
        if size > LARGEST_DOWNLOAD:
            return
        st.download_button(
            "Download",
            data=partial(_zipped, path) if path.is_dir() else path.read_bytes,
            file_name=f"{path.name}.zip" if path.is_dir() else path.name,
            key=f"fetch-{shown}",
            on_click="ignore",
            icon=":material/download:",
            type="tertiary",
        )


def bytes_of(path: Path) -> int:
    """Size of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(f.stat().st_size for f in files if f.is_file())


def size_in_words(count: int) -> str:
    """12.3 kB, 4.5 MB, 1.6 GB"""
    if count < 1e5:
        return f"{count / 1e3:,.1f} kB"
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"


def _zipped(folder: Path) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder.parent))
    return archive.getvalue()
