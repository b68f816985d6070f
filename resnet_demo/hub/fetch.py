"""One file from the Hugging Face Hub: from its cache if it is there, else over the network.

Settings are huggingface_hub's own: HF_HUB_CACHE, HF_ENDPOINT, HF_HUB_OFFLINE.

The client blocks in a read for as long as a server sends a byte now and then, and nothing in its own process can
interrupt that. So each download runs in a child process, `python -m resnet_demo.hub.download`, which prints its
progress as lines of JSON. It can be cancelled, has a deadline, and ends with its parent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from resnet_demo.child_process import ChildProcess
from resnet_demo.errors import HubError
from resnet_demo.hub.download import SHA256, damaged, sha256

Kind = Literal["model", "dataset"]
Progress = Callable[[int, int], object]

PATIENCE = 30.0
QUOTA = 500_000
"""A download ends if fewer than `QUOTA` bytes, and not the whole file, arrive within `PATIENCE` seconds."""


class DownloadCancelled(HubError):
    """The caller cancelled the download."""


class HubUnreachable(HubError):
    """The file is not in the local cache, and the Hub does not answer."""


def fetch_file(
    repository: str, filename: str, kind: Kind = "model", *,
    on_progress: Progress | None = None, should_cancel: Callable[[], bool] = lambda: False,
    max_bytes: int | None = None, patience: float = PATIENCE,
) -> Path:  # fmt: skip
    """The local path of one file of a repository.

    A file whose SHA-256 is known (the Hub gives it for large files) is compared with it; one that differs is removed
    from the cache and downloaded again.

    Args:
        repository: `user/name`.
        filename: its path in the repository.
        kind: of repository.
        on_progress: called with (done, total) bytes, first with done = 0 as soon as the size is known.
        should_cancel: called several times a second during a download.
        max_bytes: refuse a larger file before it is downloaded.
        patience: seconds in which 500 kB, or the whole of a smaller file, must arrive.

    Raises:
        HubError: the file is not cached and cannot be downloaded; the message says which, why, and what to do.
        DownloadCancelled: `should_cancel` returned true.
    """
    path = cached_file(repository, filename, kind)
    if path is not None:
        return path
    for done, total in _download(repository, filename, kind, max_bytes, should_cancel, patience):
        if on_progress is not None:
            on_progress(done, total)
    path = cached_file(repository, filename, kind)
    if path is None:
        raise damaged(f"{filename} of {repository}")
    return path


def download_file(
    repository: str, filename: str, kind: Kind = "model", *,
    should_cancel: Callable[[], bool] = lambda: False, max_bytes: int | None = None, patience: float = PATIENCE,
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """Download a file into the cache and yield (done, total) bytes meanwhile; nothing if it is there. Like `fetch_file`."""
    if cached_file(repository, filename, kind) is None:
        yield from _download(repository, filename, kind, max_bytes, should_cancel, patience)


def is_cached(repository: str, *filenames: str, kind: Kind = "model") -> bool:
    """Whether the local cache has files of these names. It reads none of them: `fetch_file` finds the damaged ones."""
    return all(cached_path(repository, name, kind) is not None for name in filenames)


def cached_path(repository: str, filename: str, kind: Kind = "model") -> Path | None:
    """The path of a file in the local cache, which is not read; None if it is not there."""
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(repository, filename, repo_type=kind)
    return Path(path) if isinstance(path, str) else None


def cached_file(repository: str, filename: str, kind: Kind = "model") -> Path | None:
    """The file in the local cache, without a network; None if it is not there. A damaged file is removed.

    It reads the whole file, to compare its SHA-256: 0.1 s for 100 MB.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        path = Path(hf_hub_download(repository, filename, repo_type=kind, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as error:
        raise HubError(f"{repository!r} is not a repository of the Hugging Face Hub: name one as user/name.") from error
    blob = path.resolve()
    if SHA256.fullmatch(blob.name) and sha256(blob) != blob.name:
        blob.unlink()
        path.unlink(missing_ok=True)
        return None
    return path


def _download(
    repository: str, filename: str, kind: Kind,
    max_bytes: int | None, should_cancel: Callable[[], bool], patience: float,
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """Download a file in a child process and yield (done, total) bytes until it is in the cache."""
    from huggingface_hub import constants

    name = f"{filename} of {repository}"
    if constants.HF_HUB_OFFLINE:
        raise HubError(f"{name} is not in the local cache, and HF_HUB_OFFLINE is set: unset it, or fetch the file beforehand.")
    request = {"repository": repository, "filename": filename, "kind": kind, "max_bytes": max_bytes}
    with ChildProcess("resnet_demo.hub.download", json.dumps(request), keep_stderr=True) as child:
        mark, mark_done, done = time.monotonic(), 0, 0
        while True:
            if should_cancel():
                raise DownloadCancelled(f"The download of {name} was cancelled.")
            if time.monotonic() - mark > patience:
                raise HubError(
                    f"The Hugging Face Hub sent only {done - mark_done:,} bytes of {name} in {patience:.0f} seconds; "
                    "the download was ended. Try again on a better connection."
                )
            try:
                message = child.receive(timeout=0.1)
            except TimeoutError:
                continue
            if message is None:
                raise HubError(f"The download of {name} broke off: {child.last_error_line() or 'the process ended.'}")
            if "error" in message:
                raise (HubUnreachable if message.get("unreachable") else HubError)(message["error"])
            if "finished" in message:
                return
            done = message["done"]
            if done - mark_done >= QUOTA:
                mark, mark_done = time.monotonic(), done
            yield done, message["total"]
