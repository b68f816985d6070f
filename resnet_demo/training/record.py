"""The record of a run on disk, the only truth of it. No torch here: watching a run costs nothing.

    <folder>/config.json     what was asked for
    <folder>/events.jsonl    what happened, one event a line, only ever appended to
    <folder>/checkpoint.pt   all that is needed to go on
    <folder>/arms/<name>/    the weights, in the Hub's layout
    <folder>/lock            held by the process that trains

A run's status is never stored: it follows from the last event and from whether some process holds the lock.
When a run goes on from a checkpoint, its new `started` event names the step; what the record held of later
steps is computed again, identically, and readers drop the first telling (`told`).
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Literal

from filelock import FileLock, Timeout

from resnet_demo.config import RunConfig
from resnet_demo.errors import RunError
from resnet_demo.files import write_atomically
from resnet_demo.parsing import parse
from resnet_demo.training import events
from resnet_demo.training.events import Event, RunFailed, RunFinished, RunPaused, RunStarted, RunStopped

Status = Literal["waiting", "running", "paused", "stopped", "finished", "failed", "interrupted"]
RESERVE, RESERVED = ".reserve", 16_384  # room on the disk for a last word, given free when it is full
PROBING = threading.Lock()  # two probes of one process would each take the other for a process that trains
log = logging.getLogger(__name__)
ENDINGS = (RunPaused, RunStopped, RunFinished, RunFailed)


def drop_repeated_steps(history: Iterable[Event]) -> list[Event]:
    """The events of a run as if it had never been interrupted: after a resume at step k, only steps up to k count."""
    kept: list[Event] = []
    for event in history:
        if isinstance(event, RunStarted):
            kept = [old for old in kept if old.step <= event.step and not isinstance(old, ENDINGS)]
        kept.append(event)
    return kept


def status_after(last: Event | None) -> Status:
    """What a run that no process holds is doing, by its last event."""
    match last:
        case RunFinished():
            return "finished"
        case RunStopped():
            return "stopped"
        case RunPaused():
            return "paused"
        case RunFailed():
            return "failed"
        case _:
            return "interrupted"


class Record:
    """A run's folder, for reading. Torn lines at the end of the events are ignored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def config(self) -> RunConfig:
        """What was asked for.

        Raises:
            RunError: there is no run in this folder.
        """
        try:
            return parse(RunConfig, (self.folder / "config.json").read_text())
        except OSError as error:
            raise RunError(f"There is no run in {self.folder}.") from error

    @property
    def checkpoint(self) -> Path:
        """Where the checkpoint is, if there is one."""
        return self.folder / "checkpoint.pt"

    def read(self, offset: int = 0) -> tuple[list[Event], int]:
        """The events after byte `offset`, and the offset to read on from."""
        try:
            with (self.folder / "events.jsonl").open("rb") as file:
                file.seek(offset)
                text = file.read()
        except FileNotFoundError:
            return [], offset
        found: list[Event] = []
        for line in text.splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break  # torn, or being written
            try:
                found.append(events.from_line(line))
            except ValueError:
                break  # damaged: nothing after it can be trusted
            offset += len(line)
        return found, offset

    def events(self) -> list[Event]:
        """What happened, as if the run had never been interrupted."""
        return drop_repeated_steps(self.read()[0])

    def is_locked(self) -> bool:
        """Whether a living process trains this run."""
        lock = FileLock(self.folder / "lock")
        try:
            with PROBING, lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    def status(self) -> Status:
        """What the run is doing now."""
        if self.is_locked():
            return "running"
        history, _ = self.read()
        return status_after(history[-1]) if history else "waiting"


class RecordWriter(Record):
    """A run's folder, for the one process that trains it; a context manager that holds the lock.

    Raises:
        RunError: another process is at it, the folder already holds another run, or nothing can be written there.
    """

    def __init__(self, folder: Path, config: RunConfig, *, resume: bool) -> None:
        super().__init__(folder)
        self._config = config
        self._resume = resume
        self._lock = FileLock(folder / "lock")
        self._file: FileIO | None = None

    def __enter__(self) -> RecordWriter:
        try:
            return self._open()
        except Timeout as error:  # an OSError too
            raise RunError(f"Another process is training the run in {self.folder}.") from error
        except OSError as error:
            raise RunError(
                f"The run cannot be kept in {self.folder} ({error.strerror or error}): make room there, or name a folder that "
                "can be written."
            ) from error

    def _open(self) -> RecordWriter:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock.acquire(timeout=5)
        try:
            if not (self.folder / "config.json").exists():
                write_atomically(self.folder / "config.json", self._config.model_dump_json(indent=1).encode())
            elif self.read()[0] and not self._resume:
                raise RunError(f"{self.folder} already holds a run: resume it, or name another folder.")
            elif self.config != self._config:
                raise RunError(f"{self.folder} holds a run with other settings; it can only go on with its own.")
            path = self.folder / "events.jsonl"
            _, whole = self.read()
            self._file = path.open("ab", buffering=0)
            self._cut(whole)  # a torn last line
            write_atomically(self.folder / RESERVE, bytes(RESERVED))
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        with suppress(OSError):  # of a disk that became read-only: the lock must go all the same
            (self.folder / RESERVE).unlink(missing_ok=True)
        self._lock.release()

    def append(self, event: Event) -> None:
        """Write one event, so that a reader sees it at once; wholly, or not at all.

        Raises:
            OSError: the disk is full, or gone.
        """
        assert self._file is not None
        line, end = events.to_line(event), self._file.tell()
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, "only a part of a line could be written")
        except OSError:
            self._cut(end)
            raise

    def _cut(self, end: int) -> None:
        assert self._file is not None
        self._file.truncate(end)
        self._file.seek(end)  # truncating leaves the position beyond the end, where a later cut would fill the gap with zeros

    def append_last(self, event: Event) -> None:
        """Write how the run ended; on a full disk, in the room that was kept for this."""
        (self.folder / RESERVE).unlink(missing_ok=True)
        self.append(event)

    def try_append_last(self, event: Event) -> None:
        """As `append_last`; where nothing can be written any more (the disk became read-only), that is only logged."""
        try:
            self.append_last(event)
        except OSError as error:
            log.warning("The end of the run in %s could not be written: %s", self.folder, error)

    def save_checkpoint(self, content: bytes | memoryview) -> None:
        """Make the events durable, then replace the checkpoint."""
        assert self._file is not None
        os.fsync(self._file.fileno())
        write_atomically(self.checkpoint, content)


def end(folder: Path, event: RunPaused | RunStopped | RunFailed) -> None:
    """Write the last word into the record of a run that no process trains.

    Raises:
        RunError: a process does train it, or nothing can be written in its folder.
        OSError: the disk is full.
    """
    with RecordWriter(folder, Record(folder).config, resume=True) as writer:
        writer.append_last(event)
