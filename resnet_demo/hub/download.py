"""The child process that downloads one file from the Hub into its cache: `python -m resnet_demo.hub.download`.

Its argument names the file. It prints lines of JSON ({done, total}, then {finished} or {error}), and ends when its
standard input is closed. fetch.py starts it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from resnet_demo.errors import HubError

SHA256 = re.compile(r"[0-9a-f]{64}")


def sha256(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal; 0.1 s for 100 MB."""
    with file.open("rb") as opened:
        digest = hashlib.sha256()
        while part := opened.read(1 << 20):
            digest.update(part)
        return digest.hexdigest()


def send(**message: Any) -> None:
    """Print one message to the parent."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Bar:
    """Replaces the client's progress bar: it sends the number of bytes to the parent."""

    size = 0
    limit: int | None = None

    def __init__(self, *, initial: int = 0, **_: object) -> None:
        self.n = initial

    def update(self, more: float = 1) -> None:
        """Count some bytes."""
        self.n += int(more)
        if self.limit is not None and self.n > self.limit:
            raise HubError(f"The Hub sends more than the {self.limit / 1e6:.1f} MB that were asked for.")
        send(done=self.n, total=max(self.size, self.n))

    def update_transfer(self, more: float = 1) -> None:
        """Ignores the bytes that Xet storage transfers: they are counted when they are written."""

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None  # close, refresh, set_postfix_str, …: nothing to draw


def download(repository: str, filename: str, kind: str, max_bytes: int | None = None) -> None:
    """Download one file into the cache and send its size first; an error is sent as a sentence, not raised."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url

    # Smaller than the client's 10 MB, so that progress is smooth; the setting is global, but this process does nothing else.
    constants.DOWNLOAD_CHUNK_SIZE = 1 << 17
    what = f"{filename} of {repository}"
    try:
        metadata = get_hf_file_metadata(hf_hub_url(repository, filename, repo_type=kind), timeout=constants.HF_HUB_ETAG_TIMEOUT)
        Bar.size, Bar.limit = metadata.size or 0, max_bytes
        refuse_size(what, Bar.size, max_bytes)
        send(done=0, total=Bar.size)
        # Bar has what the client calls of tqdm's class, without being one.
        path = Path(hf_hub_download(repository, filename, repo_type=kind, tqdm_class=Bar))  # type: ignore[arg-type]  # see above
        # Where the cache has no links (Windows), the file is not named by its SHA-256, but the Hub's answer has it.
        expected = metadata.etag or ""
        if SHA256.fullmatch(expected) and sha256(path) != expected:
            path.resolve().unlink()
            path.unlink(missing_ok=True)
            raise damaged(what)
    except Exception as error:
        send(error=sentence(what, repository, error), unreachable=is_unreachable(error))
    else:
        send(finished=True)


def damaged(what: str) -> HubError:
    """The error for a file that differs from the Hub's and was removed."""
    return HubError(f"{what} arrived damaged (its SHA-256 is not the one that the Hub names) and was removed: try again.")


def refuse_size(what: str, size: int, max_bytes: int | None) -> None:
    """Refuse a file that is larger than its limit or than the free disk.

    Raises:
        HubError: it is larger than `max_bytes`.
        OSError: the disk has too little free space.
    """
    from huggingface_hub import constants

    if max_bytes is not None and size > max_bytes:
        raise HubError(f"{what} has {size / 1e6:.1f} MB; what was asked for has at most {max_bytes / 1e6:.1f} MB.")
    cache = Path(constants.HF_HUB_CACHE)
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    if shutil.disk_usage(existing).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def sentence(what: str, repository: str, error: Exception) -> str:
    """What failed, with which file, and what to do."""
    from huggingface_hub import constants, errors

    where = constants.ENDPOINT
    kinds = {kind.__name__ for kind in type(error).__mro__}  # the client's HTTP library has another name in each major version
    match error:
        case HubError():
            return str(error)
        case errors.GatedRepoError():
            return f"{repository} is gated: accept its terms at {where}/{repository}, then log in with `hf auth login`."
        case errors.RepositoryNotFoundError():
            return f"There is no repository {repository} at {where}, or it is private: check the name, or log in."
        case errors.RemoteEntryNotFoundError():
            return f"There is no file {what} at {where}: check the name."
        case errors.HfHubHTTPError():
            return (
                f"The Hugging Face Hub ({where}) answered {error.response.status_code} when asked for {what}: try again later."
            )
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG):
            return f"The disk is full: there is no room for {what} in {constants.HF_HUB_CACHE}."
        case OSError() if "Consistency check failed" in str(error):
            return f"{what} arrived incomplete and was removed: try again."
        case _ if "RemoteProtocolError" in kinds:
            return f"The connection to {where} broke off again and again while {what} was downloaded: try again."
        case _ if is_unreachable(error):
            return f"{what} is not in the local cache, and the Hugging Face Hub ({where}) cannot be reached: check the network."
        case _:
            return f"{what} could not be fetched from {where}: {type(error).__name__}: {error}"


def is_unreachable(error: Exception) -> bool:
    """Whether the Hub did not answer at all."""
    from huggingface_hub import errors

    kinds = {kind.__name__ for kind in type(error).__mro__}
    broke_off = "RemoteProtocolError" in kinds
    silent = isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled) or "TransportError" in kinds
    return silent and not broke_off


def end_with_parent() -> None:
    """Interrupt the download when the parent closes our standard input or ends; the client then cleans up."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def watch() -> None:
        os.read(0, 1)
        if hasattr(signal, "pthread_kill"):  # a signal to that thread wakes it from its read
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        else:
            os._exit(1)

    signal.signal(signal.SIGTERM, interrupt)
    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Download the file that the argument names."""
    end_with_parent()
    try:
        download(**json.loads(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(1)


if __name__ == "__main__":
    main()
