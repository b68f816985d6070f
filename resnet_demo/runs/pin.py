"""The run that the teacher shows to everyone, kept in a file so that a restart finds it. No torch here."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from resnet_demo.errors import SettingError
from resnet_demo.files import write_atomically
from resnet_demo.parsing import Frozen, parse
from resnet_demo.runs.permissions import RUN_ID


class _PinFile(Frozen):
    run: str = Field(pattern=rf"^({RUN_ID.pattern})?$")


class Pin:
    """The pinned run: `run` is its id; empty if none is pinned or the file cannot be read.

    Args:
        path: of the file, beside the runs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.run = _read(path)

    def move(self, run: str) -> None:
        """Pin another run instead; an empty id pins none.

        Raises:
            OSError: the file cannot be written; nothing changes then.
        """
        write_atomically(self._path, _PinFile(run=run).model_dump_json().encode())
        self.run = run


def _read(path: Path) -> str:
    try:
        return parse(_PinFile, path.read_text(encoding="utf-8")).run
    except (OSError, UnicodeDecodeError, SettingError):
        return ""
