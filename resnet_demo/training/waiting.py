"""The runs that wait, in order, kept in a file so that a restart finds them. No torch here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from resnet_demo.errors import RunError, SettingError
from resnet_demo.files import write_atomically
from resnet_demo.training.tickets import RUN_ID, Ticket

LONGEST_QUEUE = 30
SECONDS_TO_END = 5.0  # an app that was just closed still saves what it trains


@contextmanager
def sole_app(home: Path) -> Iterator[None]:
    """Let one app at a time keep the queue of a home: a second one would overwrite it.

    Raises:
        RunError: another app has this home.
    """
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "app.lock")
    try:
        lock.acquire(timeout=SECONDS_TO_END)
    except Timeout as error:
        raise RunError(
            f"Another ResNet Lab already keeps its runs in {home}: use that one, end it, or name another folder in "
            "RESNET_DEMO_HOME."
        ) from error
    try:
        yield
    finally:
        lock.release()


class Waiting:
    """Ids of runs, next to train first. Not safe to change from two threads: its owner has a lock.

    Args:
        path: the file; a missing or damaged one is an empty queue (its runs are shown as interrupted and can be continued).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            found = json.loads(path.read_text())
        except (OSError, ValueError):
            found = []
        names = [name for name in found if isinstance(name, str) and RUN_ID.fullmatch(name)] if isinstance(found, list) else []
        self._ids = [name for name in names if (path.parent / name / "config.json").exists()]

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._ids))

    def __len__(self) -> int:
        return len(self._ids)

    def refuse_more(self, visitor: object) -> None:
        """Let everybody wait with one run, and not too many in all.

        Raises:
            SettingError: this visitor's run waits already, or the queue is full; or the visitor is no text.
        """
        if not isinstance(visitor, str):
            raise SettingError(f"The visitor must be text, not {visitor!r:.40}: reload the page.")
        if any(Ticket.of(self._path.parent / run_id).belongs_to(visitor) for run_id in self._ids):
            raise SettingError("You already have a run waiting: stop it first, or let it begin.")
        if len(self._ids) >= LONGEST_QUEUE:
            raise SettingError(f"{LONGEST_QUEUE} runs are waiting already: try again when some are done.")

    def place(self, run_id: str) -> int:
        """1 for the next run, 2 for the one after it …; 0 if it does not wait."""
        return self._ids.index(run_id) + 1 if run_id in self._ids else 0

    def put(self, run_id: str, first: bool = False) -> None:
        """Let a run wait, at the end or at the beginning."""
        self._ids.insert(0 if first else len(self._ids), run_id)
        self._write()

    def take(self, run_id: str | None = None) -> str:
        """Take a run out: that one, or the next."""
        taken = self._ids.pop(0 if run_id is None else self._ids.index(run_id))
        self._write()
        return taken

    def _write(self) -> None:
        write_atomically(self._path, json.dumps(self._ids).encode())
