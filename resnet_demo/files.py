"""Atomic writes, opening files without blocking, and the folder of the user's runs and models."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

EXAMPLES = Path(__file__).parent / "examples"
"""The bundled pictures, described by inference/examples.py."""


def home() -> Path:
    """The folder of runs and of the user's models: RESNET_DEMO_HOME, else a folder in the user's data directory."""
    import platformdirs

    folder = os.environ.get("RESNET_DEMO_HOME")
    return Path(folder).expanduser() if folder else platformdirs.user_data_path("resnet-lab", appauthor=False)


def expand_home(path: str) -> Path:
    """The path with a leading ~ replaced. One of no user, `~nobody`, stays as it is: Path.expanduser raises a RuntimeError."""
    return Path(os.path.expanduser(path))  # noqa: PTH111


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file for reading.

    A FIFO or a device raises an error at once: opening it could block forever, and reading it could never end.

    Raises:
        OSError: the file cannot be opened, or is not a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_text(path: Path, at_most: int = 10_000_000) -> str:
    """The text of a regular file.

    Args:
        path: the file.
        at_most: the largest size in bytes.

    Raises:
        OSError: as `open_regular`, or the file is larger.
        UnicodeDecodeError: it is not text.
    """
    with open_regular(path) as file:
        content = file.read(at_most + 1)
    if len(content) > at_most:
        raise OSError(errno.EFBIG, f"it has more than {at_most:,} bytes", str(path))
    return content.decode()


def write_atomically(path: Path, content: bytes | memoryview | Callable[[IO[bytes]], object], mode: int = 0o666) -> None:
    """Replace a file atomically: after a crash, either the old or the new content is complete.

    Args:
        path: the file to replace.
        content: the bytes, or a function that writes them to an open file.
        mode: the permissions of the file, before the process's umask applies.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with open(temporary, "wb", opener=partial(os.open, mode=mode)) as file:
            if callable(content):
                content(file)
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    if os.name == "posix":  # makes the rename durable
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def drop_least_recently_used(paths: Iterable[Path], max_bytes: int) -> None:
    """Delete the files that were used longest ago, by their modification times, until the others have at most `max_bytes`.

    Args:
        paths: the files of a cache; one that another process has deleted is left out.
        max_bytes: of all files together.

    Raises:
        OSError: a file cannot be deleted.
    """
    entries = []
    for path in paths:
        with suppress(FileNotFoundError):
            status = path.stat()
            entries.append((status.st_mtime_ns, status.st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries, key=lambda entry: entry[:2]):
        if total <= max_bytes:
            return
        path.unlink(missing_ok=True)
        total -= size
