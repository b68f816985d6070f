"""The runs of a folder, read from their records; dispatch.py adds which of them wait and train. No torch here."""

from __future__ import annotations

import threading
from pathlib import Path

from resnet_demo.errors import SettingError
from resnet_demo.runs.follower import Follower, Summary
from resnet_demo.runs.permissions import RUN_ID
from resnet_demo.training.events import Event
from resnet_demo.training.record import Record


class RunRecords:
    """The runs of this machine, and the recorded runs that ship. Every method may be called from any thread.

    Args:
        folder: of the runs; it is created if it does not exist.
        recorded: a folder of finished runs that are only read (recorded.py); None for none.
    """

    def __init__(self, folder: Path, recorded: Path | None = None) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._recorded = recorded
        self._followers: dict[str, Follower] = {}
        self._lock = threading.RLock()

    def names(self) -> list[str]:
        """The ids of all runs, newest first, then those that ship."""
        return [*_names_in(self.folder), *(_names_in(self._recorded) if self._recorded else ())]

    def record(self, run_id: str) -> Record:
        """The record of a run.

        Raises:
            SettingError: there is no run of that id.
        """
        return self.follower(run_id).record

    def events(self, run_id: str, position: int = 0) -> tuple[list[Event], int]:
        """The events from the `position`-th on, and the position to continue from (follower.py)."""
        return self.follower(run_id).since(position)

    def summary(self, run_id: str) -> Summary:
        """The result of a run so far, as a sentence and a table."""
        return self.follower(run_id).summary()

    def follower(self, run_id: str) -> Follower:
        """Reads the events of a run as they are written. Raises like `record`."""
        with self._lock:
            if not isinstance(run_id, str) or not RUN_ID.fullmatch(run_id):
                raise SettingError(f"There is no run {str(run_id)[:40]!r}.")
            if not self.is_there(run_id):
                self._followers.pop(run_id, None)
                raise SettingError(f"There is no run {run_id}: it was deleted, or it is on another machine.")
            folder = self._recorded if self._recorded and self.is_recorded(run_id) else self.folder
            return self._followers.setdefault(run_id, Follower(folder / run_id))

    def is_there(self, run_id: str) -> bool:
        """Whether there is a run of that id."""
        return (self.folder / run_id / "config.json").exists() or self.is_recorded(run_id)

    def is_recorded(self, run_id: str) -> bool:
        """Whether a run is one of those that ship."""
        return self._recorded is not None and (self._recorded / run_id / "config.json").exists()

    def recorded(self) -> dict[str, str]:
        """The titles of the comparisons that ship, by id."""
        configs = {name: self.follower(name).config for name in (_names_in(self._recorded) if self._recorded else ())}
        return {name: config.title for name, config in configs.items() if config.transfer is None}

    def forget(self, run_id: str) -> None:
        """Drop everything about a deleted run from memory."""
        with self._lock:
            self._followers.pop(run_id, None)


def _names_in(folder: Path) -> list[str]:
    return sorted((path.name for path in folder.iterdir() if RUN_ID.fullmatch(path.name)), reverse=True)
