"""The events of a run for any number of watchers: each line of the record is read and parsed once. No torch here."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from resnet_demo.config import RunConfig
from resnet_demo.results.summary import Winner, sentence, table, winner
from resnet_demo.training.events import Event
from resnet_demo.training.record import Record, Status, drop_repeated_steps, status_after


@dataclass(frozen=True)
class Summary:
    """The result of a run so far: a sentence, the kind of network that learned better, and a row for each network."""

    sentence: str
    winner: Winner | None
    rows: tuple[tuple[str | int, ...], ...]


class Follower:
    """The events of one run as they are written; its methods may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self.record = Record(folder)
        self._history: list[Event] = []
        self._offset = 0
        self._lock = threading.Lock()
        self._summary: tuple[int, Summary] | None = None  # of so many events

    @cached_property
    def config(self) -> RunConfig:
        """The config of the run, which never changes."""
        return self.record.config

    def status(self) -> Status:
        """The status of the run now, as `Record.status`; a run without events that no process holds was interrupted."""
        status = status_after(self.last())
        if status != "interrupted":
            return status
        return "running" if self.record.is_locked() else "interrupted"

    def since(self, position: int = 0) -> tuple[list[Event], int]:
        """The events from the `position`-th on, in the order they were written, and the position to continue from.

        A `RunStarted` at step k makes earlier events of later steps obsolete: those steps are trained again.
        """
        with self._lock:
            history = self._read_on()
            return history[position:], len(history)

    def last(self) -> Event | None:
        """The newest event, if there is any."""
        with self._lock:  # without a copy, as in `latest`: each watcher of a long run calls this several times a second
            history = self._read_on()
            return history[-1] if history else None

    def latest(self, *kinds: type[Event]) -> Event | None:
        """The newest event of one of these kinds, if there is any."""
        with self._lock:
            return next((event for event in reversed(self._read_on()) if isinstance(event, kinds)), None)

    def _read_on(self) -> list[Event]:
        """All events so far; the lock must be held."""
        try:
            size = (self.record.folder / "events.jsonl").stat().st_size
        except FileNotFoundError:
            size = 0
        if size < self._offset:  # a resumed run cut off a torn end; or another run has this folder now
            self._history, self._offset = [], 0
        if size > self._offset:
            new, self._offset = self.record.read(self._offset)
            self._history.extend(new)
        return self._history

    def summary(self) -> Summary:
        """The result of the run so far; computed once for all callers, until there is a new event."""
        history, length = self.since()
        latest = self._summary
        if latest is None or latest[0] != length:
            events = drop_repeated_steps(history)
            rows = tuple(tuple(row) for row in table(self.config, events))
            latest = self._summary = (length, Summary(sentence(self.config, events), winner(self.config, events), rows))
        return latest[1]
