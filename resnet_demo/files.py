"""Files that are written whole or not at all, and the folders that are the user's."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO


def home() -> Path:
    """Where runs and the user's models are kept: RESNET_DEMO_HOME, else a folder in the user's data directory."""
    import platformdirs

    chosen = os.environ.get("RESNET_DEMO_HOME")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path("resnet-lab", appauthor=False)


def write_atomically(path: Path, content: bytes | memoryview | Callable[[IO[bytes]], object], mode: int = 0o666) -> None:
    """Write a file so that, whatever happens, either the old or the new one is there whole.

    Args:
        path: the file to replace.
        content: its bytes, or a function that writes them to the open file it is given.
        mode: who may read and write it (less what the process's umask takes away).
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
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
    if os.name == "posix":  # makes the renaming itself durable
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
