"""One file from the Hugging Face Hub: from its cache if it is there, else over the network.

Settings are huggingface_hub's own: HF_HUB_CACHE, HF_ENDPOINT, HF_HUB_OFFLINE.

The client blocks in a read for as long as a server sends a byte now and then, and nothing in its own process
can end that. So each download is a child process, `python -m resnet_demo.hub.download`, which prints its progress as
lines of JSON; it can be cancelled, has a deadline, and dies with its parent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal

from resnet_demo.child_process import ChildProcess
from resnet_demo.errors import HubError
from resnet_demo.hub.download import SHA256, damaged, sha256

Kind = Literal["model", "dataset"]
Progress = Callable[[int, int], object]

PATIENCE = 30.0  # seconds in which this much must arrive (or all of a smaller file), else the download ends:
QUOTA = 500_000  # bytes


class DownloadCancelled(HubError):
    """The one who asked for a download no longer wants it."""


class HubUnreachable(HubError):
    """The file is not in the cache, and the Hub does not answer."""


def fetch_file(
    repository: str, filename: str, kind: Kind = "model", *,
    on_progress: Progress | None = None, should_cancel: Callable[[], bool] = lambda: False,
    max_bytes: int | None = None, patience: float = PATIENCE,
) -> Path:  # fmt: skip
    """The local path of one file of a repository.

    A file whose SHA-256 is known (the Hub gives it for large files) is compared with it, once a process; one
    that differs is removed from the cache.

    Args:
        repository: `user/name`.
        filename: its path in the repository.
        kind: of the repository.
        on_progress: told (done, total) bytes, first with done = 0 when the size is known.
        should_cancel: asked several times a second while the file is downloaded.
        max_bytes: refuse a larger file before it is downloaded.
        patience: seconds in which 500 kB, or the whole of a smaller file, must arrive.

    Raises:
        HubError: the file is neither cached nor to be had; the sentence says which, why, and what to do.
        DownloadCancelled: `should_cancel` said so.
    """
    for done, total in download_file(
        repository, filename, kind, should_cancel=should_cancel, max_bytes=max_bytes, patience=patience
    ):
        if on_progress is not None:
            on_progress(done, total)
    found = cached_file(repository, filename, kind)
    if found is None:
        raise damaged(f"{filename} of {repository}")
    return found


def download_file(
    repository: str, filename: str, kind: Kind = "model", *,
    should_cancel: Callable[[], bool] = lambda: False, max_bytes: int | None = None, patience: float = PATIENCE,
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """Bring a file into the cache, and yield (done, total) bytes while it comes; nothing if it is there. As `fetch_file`."""
    from huggingface_hub import constants

    if cached_file(repository, filename, kind) is not None:
        return
    what = f"{filename} of {repository}"
    if constants.HF_HUB_OFFLINE:
        raise HubError(f"{what} is not in the local cache, and HF_HUB_OFFLINE is set: unset it, or fetch the file beforehand.")
    for message in _messages(repository, filename, kind, what, max_bytes, should_cancel, patience):
        yield message["done"], message["total"]


def is_listed(repository: str, *filenames: str, kind: Kind = "model") -> bool:
    """Whether the cache has files of these names. Reads none of them, so that a long list costs nothing."""
    from huggingface_hub import try_to_load_from_cache

    return all(isinstance(try_to_load_from_cache(repository, name, repo_type=kind), str) for name in filenames)


def cached_file(repository: str, filename: str, kind: Kind = "model") -> Path | None:
    """The file in the local cache, if it is there and not damaged. Asks no network."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        found = Path(hf_hub_download(repository, filename, repo_type=kind, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as error:
        raise HubError(f"{repository!r} is no repository of the Hugging Face Hub: name one as user/name.") from error
    blob = found.resolve()
    expected = blob.name if SHA256.fullmatch(blob.name) else ""
    if expected and _sha256(blob, blob.stat().st_mtime_ns) != expected:
        blob.unlink()
        found.unlink(missing_ok=True)
        return None
    return found


@lru_cache(maxsize=256)
def _sha256(file: Path, modified: int) -> str:
    del modified  # makes a changed file a new question
    return sha256(file)


def _messages(
    repository: str, filename: str, kind: Kind, what: str,
    max_bytes: int | None, should_cancel: Callable[[], bool], patience: float,
) -> Iterator[dict[str, int]]:  # fmt: skip
    """Download in a child process; yields its progress until the file is in the cache."""
    request = {"repository": repository, "filename": filename, "kind": kind, "max_bytes": max_bytes}
    with ChildProcess("resnet_demo.hub.download", json.dumps(request), keep_stderr=True) as child:
        mark, mark_done = time.monotonic(), 0
        message = {"done": 0, "total": 0}
        while True:
            if should_cancel():
                raise DownloadCancelled(f"The download of {what} was cancelled.")
            if time.monotonic() - mark > patience:
                raise HubError(
                    f"The Hugging Face Hub sent only {message['done'] - mark_done:,} bytes of {what} in {patience:.0f} seconds; "
                    "the download was ended. Try again on a better connection."
                )
            try:
                received = child.receive(timeout=0.1)
            except TimeoutError:
                continue
            if received is None:
                raise HubError(f"The download of {what} broke off: {child.last_error_line() or 'the process ended.'}")
            if "error" in received:
                raise (HubUnreachable if received.get("unreachable") else HubError)(received["error"])
            if "finished" in received:
                return
            message = received
            if message["done"] - mark_done >= QUOTA:
                mark, mark_done = time.monotonic(), message["done"]
            yield message
