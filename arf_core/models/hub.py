"""Fetching a GGUF file from a Hugging Face hub, with progress, going on where it was cut."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from arf_core.errors import InputError, ModelError
from arf_core.privacy import HUB_HOST, admit_host
from arf_core.settings import PrivacySettings

HUB = f"https://{HUB_HOST}"
Progress = Callable[[int, int], None]
"""Bytes that are there, and bytes in all."""


def pull(
    repo: str,
    file: str,
    folder: Path,
    privacy: PrivacySettings,
    *,
    endpoint: str = HUB,
    progress: Progress | None = None,
) -> Path:
    """Fetch `file` of `repo` into `folder`; returns where it lies. What is there is not fetched
    again, and a broken-off download is continued.

    Raises InputError where the hub has no such file, ModelError where it cannot be reached or the
    project is offline.
    """
    from urllib.parse import urlsplit

    host = urlsplit(endpoint).hostname or ""
    instead = "Fetch the file on another machine and add it with: arf models add … --gguf FILE"
    admit_host(host, privacy, "The file is at", instead)
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        got = hf_hub_download(
            repo,
            file,
            local_dir=folder,
            endpoint=endpoint,
            tqdm_class=_told(progress) if progress else None,
        )
    except (OfflineModeIsEnabled, LocalEntryNotFoundError, ConnectionError) as error:
        raise ModelError(
            f"{host} cannot be reached.", "Check the network, or HF_HUB_OFFLINE.", fatal=True
        ) from error
    except (HfHubHTTPError, ValueError) as error:
        raise InputError(
            f"{host} does not give {file} of {repo}: {str(error).splitlines()[0]}",
            "Check the names; a gated model needs HF_TOKEN in the environment.",
        ) from error
    return Path(got)


def _told(progress: Progress) -> type[Any]:
    """The hub's progress bar, which tells `progress` instead of drawing."""
    from huggingface_hub.utils.tqdm import tqdm

    class Told(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(  # type: ignore[no-untyped-call]
                *args, **kwargs | {"disable": False, "file": _Nowhere()}
            )

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            progress(int(self.n), int(self.total or 0))
            return shown

    return Told


class _Nowhere:
    """A stream for a bar that nobody is to see."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None
