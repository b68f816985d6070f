"""The record of a run on disk, the only source of its state. No torch here, so that watching a run is cheap.

    <folder>/config.json     the settings
    <folder>/events.jsonl    the events, one JSON object a line; append-only
    <folder>/checkpoint.pt   the state from which training continues
    <folder>/arms/<name>/    the trained weights, as a model folder
    <folder>/lock            held by the process that trains

A run's status is never stored: it follows from the last event and from whether a process holds the lock.
When a run continues from a checkpoint, its new `started` event names that step. The run repeats the later steps
with identical results, and readers drop the events of the first pass (`drop_repeated_steps`).
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
from resnet_demo.errors import RunError, SettingError
from resnet_demo.files import write_atomically
from resnet_demo.parsing import parse
from resnet_demo.training import events
from resnet_demo.training.events import Event, RunFailed, RunFinished, RunPaused, RunStarted, RunStopped

Status = Literal["waiting", "running", "paused", "stopped", "finished", "failed", "interrupted"]
RESERVE, RESERVED = ".reserve", 16_384  # bytes kept on disk for the last event, released when the disk is full
PROBING = threading.Lock()  # concurrent probes in one process would mistake each other for the trainer
log = logging.getLogger(__name__)
ENDINGS = (RunPaused, RunStopped, RunFinished, RunFailed)


def drop_repeated_steps(history: Iterable[Event]) -> list[Event]:
    """The events of a run as if it had never been interrupted: after a resume at step k, only steps up to k count."""
    events: list[Event] = []
    for event in history:
        if isinstance(event, RunStarted):
            events = [old for old in events if old.step <= event.step and not isinstance(old, ENDINGS)]
        events.append(event)
    return events


def status_after(last: Event | None) -> Status:
    """The status of a run that no process trains, from its last event."""
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
    """Reads a run's folder. A torn last line of the events is ignored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def config(self) -> RunConfig:
        """The settings of the run.

        Raises:
            RunError: there is no run in this folder, or its settings are damaged.
        """
        try:
            return parse(RunConfig, (self.folder / "config.json").read_text(encoding="utf-8"))
        except OSError as error:
            raise RunError(f"There is no run in {self.folder}.") from error
        except (UnicodeDecodeError, SettingError) as error:
            raise RunError(f"config.json of run {self.folder.name} is damaged: {error}") from error

    @property
    def checkpoint(self) -> Path:
        """The path of the checkpoint, whether or not it exists."""
        return self.folder / "checkpoint.pt"

    def read(self, offset: int = 0) -> tuple[list[Event], int]:
        """The events after byte `offset`, and the offset at which to continue reading.

        Raises:
            RunError: they cannot be read.
        """
        try:
            with (self.folder / "events.jsonl").open("rb") as file:
                file.seek(offset)
                text = file.read()
        except FileNotFoundError:
            return [], offset
        except OSError as error:
            raise RunError(f"The events of run {self.folder.name} cannot be read: {error.strerror}.") from error
        history: list[Event] = []
        for line in text.splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break  # torn, or still being written
            try:
                history.append(events.from_line(line))
            except ValueError:
                break  # damaged: the lines after it are not reliable
            offset += len(line)
        return history, offset

    def events(self) -> list[Event]:
        """The events, as if the run had never been interrupted."""
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
        """The current status."""
        if self.is_locked():
            return "running"
        history, _ = self.read()
        return status_after(history[-1]) if history else "waiting"


class RecordWriter(Record):
    """Writes a run's folder, for the one process that trains it; a context manager that holds the lock.

    Raises:
        RunError: another process trains the run, the folder already holds another run, or it is not writable.
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
        except Timeout as error:  # a subclass of OSError
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
            _, end = self.read()
            self._file = path.open("ab", buffering=0)
            self._cut(end)  # removes a torn last line
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
        with suppress(OSError):  # the disk became read-only; release the lock regardless
            (self.folder / RESERVE).unlink(missing_ok=True)
        self._lock.release()

    def append(self, event: Event) -> None:
        """Write one event, whole or not at all; readers see it at once.

        Raises:
            OSError: the disk is full or unavailable.
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
        self._file.seek(end)  # truncate() keeps the position, and a write beyond the end would fill the gap with zeros

    def append_last(self, event: Event) -> None:
        """Write the event that ends the run; on a full disk, in the reserved space."""
        (self.folder / RESERVE).unlink(missing_ok=True)
        self.append(event)

    def try_append_last(self, event: Event) -> None:
        """As `append_last`, but log an OSError instead of raising it (the disk became read-only)."""
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
    """Write the event that ends a run that no process trains.

    Raises:
        RunError: a process trains it, or its folder is not writable.
        OSError: the disk is full.
    """
    with RecordWriter(folder, Record(folder).config, resume=True) as writer:
        writer.append_last(event)
