"""Downloads models from a Hugging Face hub, with progress; an interrupted download is continued."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from arf_core.errors import InputError, ModelError
from arf_core.project.privacy import HUB_HOST, admit_host, host_of, hub_address
from arf_core.project.settings import PrivacySettings
from arf_core.run import Progress

HUB = f"https://{HUB_HOST}"


def pull(
    repo: str,
    file: str,
    folder: Path,
    privacy: PrivacySettings,
    *,
    endpoint: str = HUB,
    progress: Progress | None = None,
) -> Path:
    """Download `file` of `repo` into `folder`, unless it is there; returns its path. `progress`
    gets the bytes that are there and their total.

    Raises InputError where the hub has no such file, ModelError where it cannot be reached or the
    project is offline.
    """
    instead = "Fetch the file on another machine and add it with: arf models add … --gguf FILE"
    admit_host(host_of(endpoint), privacy, "The file is at", instead)
    from huggingface_hub import hf_hub_download

    with _readable_errors(host_of(endpoint), f"{file} of {repo}"):
        got = hf_hub_download(
            repo,
            file,
            local_dir=folder,
            endpoint=endpoint,
            tqdm_class=_reporter(progress) if progress else None,
        )
    return Path(got)


def pull_folder(
    repo: str, files: Sequence[str], privacy: PrivacySettings, *, revision: str | None = None
) -> Path:
    """The folder of a model on the hub, kept in the hub client's own cache; only files of these
    patterns. What is there already is used without asking the hub.

    Raises the same errors as `pull`.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    what: dict[str, Any] = {"revision": revision, "allow_patterns": list(files)}
    endpoint = hub_address()
    with _readable_errors(host_of(endpoint), repo), suppress(LocalEntryNotFoundError):
        cached = Path(snapshot_download(repo, local_files_only=True, **what))
        if _is_complete(cached):
            return cached
    instead = "Fetch its files on another machine and name the folder"
    admit_host(host_of(endpoint), privacy, f"{repo} is at", instead)
    with _readable_errors(host_of(endpoint), repo):
        return Path(snapshot_download(repo, endpoint=endpoint, **what))


def _is_complete(folder: Path) -> bool:
    """Whether all that a model needs is there; an interrupted download leaves a part."""
    weights = [*folder.glob("*.safetensors"), *folder.glob("*.bin")]
    return (folder / "config.json").is_file() and bool(weights)


@contextmanager
def _readable_errors(host: str, what: str) -> Iterator[None]:
    """Turns the hub client's errors into errors with a remedy."""
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


def _reporter(progress: Progress) -> type[Any]:
    """The hub client's progress bar, which calls `progress` and draws nothing."""
    from huggingface_hub.utils.tqdm import tqdm

    class Reporter(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs | {"disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0  # which a disabled bar does not do
            progress(int(self.n), int(self.total or 0))

    return Reporter
