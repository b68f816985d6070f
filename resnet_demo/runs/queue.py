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
SECONDS_OF_A_MOMENT = 2
SECONDS_TO_END = SECONDS_TO_CLOSE + 5  # an app that was just closed still saves the run that trains
NO_COOKIE = (
    "This request brought no cookie of this app, so nobody could stop the run again. In a browser, allow cookies and reload "
    "the page, or open it in a tab of its own; in a script, send back the cookie that came with this answer, as gradio_client "
    "does, or give the teacher's token."
)
log = logging.getLogger(__name__)


@contextmanager
def single_app_lock(home: Path) -> Iterator[None]:
    """Hold the lock on a home: a second app would overwrite its queue.

    Raises:
        RunError: another app holds the lock, or the home cannot be written.
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
            f"Another ResNet Lab already keeps its runs in {home}: use that one, end it, or name another folder in "
            "RESNET_DEMO_HOME."
        )
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock) -> None:
    """Wait for the lock, with a warning, no longer than an app needs to end."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("Another ResNet Lab keeps its runs here; waiting up to %.0f seconds for it to end.", SECONDS_TO_END)
        with suppress(Timeout):
            lock.acquire(timeout=SECONDS_TO_END)


@contextmanager
def disk_errors_as_run_error(folder: Path) -> Iterator[None]:
    """Turn an OSError within the block into a sentence that says that a run cannot be written.

    Raises:
        RunError: in place of the OSError.
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
            content = json.loads(path.read_text())
        except (OSError, ValueError):
            content = []
        entries = content if isinstance(content, list) else []
        names = [name for name in entries if isinstance(name, str) and RUN_ID.fullmatch(name)]
        self._ids = [name for name in names if (path.parent / name / "config.json").exists()]

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._ids))

    def __len__(self) -> int:
        return len(self._ids)

    def check_may_queue(
        self, visitor: object, address: str, *, is_teacher: bool, wait: Callable[[str], float | None] = lambda _: None
    ) -> None:
        """Check the limits: one waiting run for each visitor, and the number of runs in all (queue_limits.py).

        Args:
            visitor: who starts a run (permissions.visitor_name).
            address: the network address of the request.
            is_teacher: whether the request has the teacher's token, which lifts all limits but the length of the queue.
            wait: seconds until a waiting run begins; None if unknown.

        Raises:
            SettingError: a limit is reached, or the visitor is not text, or has no cookie.
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
        """Add a run at the end or at the beginning; with an address, it counts toward the limits of that address.

        Raises:
            OSError: the file cannot be written; the run is not added then.
        """
        ids = [run_id, *self._ids] if first else [*self._ids, run_id]
        self._write(ids)
        self._ids = ids
        if address is not None:
            self._limits.add(run_id, RunOwner.of(self._path.parent / run_id).identity, address)

    def take(self, run_id: str | None = None) -> str:
        """Remove a run, by default the next one, and return its id.

        It is removed even if the file cannot be written: the queue must go on when the disk is full, and at worst a restart
        gives the run to the trainer again, which continues from its checkpoint.
        """
        removed = self._ids[0] if run_id is None else run_id
        self._ids = [other for other in self._ids if other != removed]
        try:
            self._write(self._ids)
        except OSError as error:
            log.warning("%s could not be written: %s", self._path, error)
        return removed

    def discard(self, run_id: str) -> None:
        """Remove a run if it waits."""
        if run_id in self._ids:
            self.take(run_id)

    def _write(self, ids: list[str]) -> None:
        write_atomically(self._path, json.dumps(ids).encode())


def _when(seconds: float | None) -> str:
    """When to come back: 'in about 3 minutes', 'in a moment', or 'later' if unknown."""
    if seconds is None:
        return "later"
    return "in a moment" if seconds < SECONDS_OF_A_MOMENT else f"in about {duration(seconds)}"
