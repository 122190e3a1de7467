"""Fetching models from a Hugging Face hub, with progress, going on where it was cut."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from arf_core.errors import InputError, ModelError
from arf_core.project.privacy import HUB_HOST, admit_host, host_of, hub_address
from arf_core.project.settings import PrivacySettings

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
    instead = "Fetch the file on another machine and add it with: arf models add … --gguf FILE"
    admit_host(host_of(endpoint), privacy, "The file is at", instead)
    from huggingface_hub import hf_hub_download

    with _told(host_of(endpoint), f"{file} of {repo}"):
        got = hf_hub_download(
            repo,
            file,
            local_dir=folder,
            endpoint=endpoint,
            tqdm_class=_bar(progress) if progress else None,
        )
    return Path(got)


def pull_folder(
    repo: str, files: Sequence[str], privacy: PrivacySettings, *, revision: str | None = None
) -> Path:
    """The folder of a model on the hub, kept in the hub client's own cache; only files of these
    patterns. What is there already is used without asking the hub.

    Raises as `pull` does.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    wanted: dict[str, Any] = {"revision": revision, "allow_patterns": list(files)}
    endpoint = hub_address()
    with _told(host_of(endpoint), repo), suppress(LocalEntryNotFoundError):
        cached = Path(snapshot_download(repo, local_files_only=True, **wanted))
        if _is_whole(cached):
            return cached
    instead = "Fetch its files on another machine and name the folder"
    admit_host(host_of(endpoint), privacy, f"{repo} is at", instead)
    with _told(host_of(endpoint), repo):
        return Path(snapshot_download(repo, endpoint=endpoint, **wanted))


def _is_whole(folder: Path) -> bool:
    """Is everything there that a model needs? A broken-off download leaves a part."""
    weights = [*folder.glob("*.safetensors"), *folder.glob("*.bin")]
    return (folder / "config.json").is_file() and bool(weights)


@contextmanager
def _told(host: str, what: str) -> Iterator[None]:
    """What the hub's client raises, as errors that say what to do."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        yield
    except (OfflineModeIsEnabled, LocalEntryNotFoundError, ConnectionError) as error:
        raise ModelError(
            f"{host} cannot be reached.", "Check the network, or HF_HUB_OFFLINE.", fatal=True
        ) from error
    except (HfHubHTTPError, ValueError) as error:
        raise InputError(
            f"{host} does not give {what}: {str(error).splitlines()[0]}",
            "Check the names; a gated model needs HF_TOKEN in the environment.",
        ) from error


def _bar(progress: Progress) -> type[Any]:
    """The hub's progress bar, which tells `progress` instead of drawing."""
    from huggingface_hub.utils.tqdm import tqdm

    class Told(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(  # type: ignore[no-untyped-call]
                *args, **kwargs | {"disable": False, "file": _Nowhere()}
            )

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            if self.disable:  # transformers can switch the bars of the whole process off
                self.n += n or 0
            progress(int(self.n), int(self.total or 0))
            return shown

    return Told


class _Nowhere:
    """A stream for a bar that nobody is to see."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None
