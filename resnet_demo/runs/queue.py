"""The runs that wait, in order, kept in a file so that a restart finds them. No torch here."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from resnet_demo.errors import RunError, SettingError
from resnet_demo.files import write_atomically
from resnet_demo.runs.permissions import RUN_ID, RunOwner, identity_hash
from resnet_demo.runs.queue_limits import Limits
from resnet_demo.runs.worker_process import SECONDS_TO_CLOSE
from resnet_demo.words import duration

LONGEST_QUEUE = 40
SECONDS_TO_END = SECONDS_TO_CLOSE + 5  # an app that was just closed still saves what it trains
NO_COOKIE = (
    "This request brought no cookie of this app, so nobody could stop the run again. In a browser, allow cookies and reload "
    "the page, or open it in a tab of its own; in a script, send back the cookie that came with this answer, as gradio_client "
    "does, or give the teacher's token."
)
log = logging.getLogger(__name__)


@contextmanager
def single_app_lock(home: Path) -> Iterator[None]:
    """Let one app at a time keep the queue of a home: a second one would overwrite it.

    Raises:
        RunError: another app has this home, or nothing can be written there.
    """
    lock = FileLock(home / "app.lock")
    try:
        home.mkdir(parents=True, exist_ok=True)
        _acquire(lock)
    except OSError as error:
        raise RunError(
            f"Nothing can be kept in {home} ({error.strerror}): name a folder that can be written in RESNET_DEMO_HOME."
        ) from error
    if not lock.is_locked:
        raise RunError(
            f"Another ResNet RunService already keeps its runs in {home}: use that one, end it, or name another folder in "
            "RESNET_DEMO_HOME."
        )
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock) -> None:
    """Wait for the lock, and say so, as long as an app that ends may need; not longer."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("Another ResNet RunService keeps its runs here; waiting up to %.0f seconds for it to end.", SECONDS_TO_END)
        with suppress(Timeout):
            lock.acquire(timeout=SECONDS_TO_END)


@contextmanager
def disk_errors_as_run_error(folder: Path) -> Iterator[None]:
    """Say in a sentence that a run cannot be written down.

    Raises:
        RunError: in place of an OSError within the block.
    """
    try:
        yield
    except OSError as error:
        raise RunError(f"The run cannot be kept in {folder}: {error.strerror}. Make room there.") from error


class RunQueue:
    """Ids of runs, next to train first. Not safe to change from two threads: its owner has a lock.

    Args:
        path: the file; a missing or damaged one is an empty queue (its runs are shown as interrupted and can be continued).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._limits = Limits()
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

    def check_may_queue(
        self, visitor: object, address: str, *, is_teacher: bool, wait: Callable[[str], float | None] = lambda _: None
    ) -> None:
        """Let everybody wait with one run, and not too many in all (limits.py).

        Args:
            visitor: who wants to start a run (tickets.visitor_name).
            address: of the network that the request came from.
            is_teacher: whether the request brought the teacher's token, which lifts all limits but that of the queue.
            wait: seconds until a run that waits begins; None where nobody knows.

        Raises:
            SettingError: a limit is reached, or the visitor is no text, or has no cookie.
        """
        if not isinstance(visitor, str):
            raise SettingError(f"The visitor must be text, not {visitor!r:.40}: reload the page.")
        if len(self._ids) >= LONGEST_QUEUE:
            raise SettingError(
                f"{LONGEST_QUEUE} runs are waiting already: try again {_when(wait(self._ids[0]))}, when the next one begins."
            )
        if is_teacher:
            return
        if not visitor:
            raise SettingError(NO_COOKIE)
        identity = identity_hash(visitor)
        for run_id in self._ids:
            if RunOwner.of(self._path.parent / run_id).identity == identity:
                raise SettingError(
                    f"You already have a run waiting: stop it first, or start another one {_when(wait(run_id))}, when it has begun."
                )
        self._limits.check(identity, address, self._ids)

    def place(self, run_id: str) -> int:
        """1 for the next run, 2 for the one after it …; 0 if it does not wait."""
        return self._ids.index(run_id) + 1 if run_id in self._ids else 0

    def put(self, run_id: str, first: bool = False, address: str | None = None) -> None:
        """Let a run wait, at the end or at the beginning; with an address, it counts as started from there.

        Raises:
            OSError: the file cannot be written; then the run does not wait.
        """
        ids = [run_id, *self._ids] if first else [*self._ids, run_id]
        self._write(ids)
        self._ids = ids
        if address is not None:
            self._limits.add(run_id, RunOwner.of(self._path.parent / run_id).identity, address)

    def take(self, run_id: str | None = None) -> str:
        """Take a run out: that one, or the next.

        It is out even where the file cannot be written: the queue must go on when the disk is full, and at worst
        a restart gives the run to the worker again, which goes on from its checkpoint.
        """
        taken = self._ids[0] if run_id is None else run_id
        self._ids = [other for other in self._ids if other != taken]
        try:
            self._write(self._ids)
        except OSError as error:
            log.warning("%s could not be written: %s", self._path, error)
        return taken

    def discard(self, run_id: str) -> None:
        """Take a run out if it waits."""
        if run_id in self._ids:
            self.take(run_id)

    def _write(self, ids: list[str]) -> None:
        write_atomically(self._path, json.dumps(ids).encode())


def _when(seconds: float | None) -> str:
    """When to come back: 'in about 3 minutes', or 'later' where nobody knows."""
    return "later" if seconds is None else f"in about {duration(seconds)}"
