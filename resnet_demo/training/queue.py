"""The lab's queue: runs wait here for the one process that trains. No torch here.

    <home>/runs/<id>/          the record of a run (record.py); ticket.json says whose it is
    <home>/runs/queue.json     the runs that wait, so that a restart keeps them
    <home>/speeds.json         what steps took on this machine (estimate.py)

A page asks `Lab` and never touches the process; a run goes on whoever watches or leaves.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from resnet_demo.config import RunConfig
from resnet_demo.errors import ResNetDemoError, RunError, SettingError
from resnet_demo.lab import PRESETS, LabSettings, comparison
from resnet_demo.training.allowance import Allowance
from resnet_demo.training.estimate import Estimate, Speeds
from resnet_demo.training.events import Event, RunFailed, RunPaused, RunStopped
from resnet_demo.training.export import save_arm
from resnet_demo.training.process import WorkerProcess
from resnet_demo.training.record import ENDINGS, Record, end
from resnet_demo.training.state import RunState, seconds_until, state_of
from resnet_demo.training.tickets import RUN_ID, is_teachers, new_run, refuse_strangers
from resnet_demo.training.timing import Timing
from resnet_demo.training.waiting import Waiting, room_in
from resnet_demo.training.watch import Follower, Summary

log = logging.getLogger(__name__)


class Lab:
    """The runs of one machine, and the process that trains them, one after the other.

    Args:
        home: the folder in which `runs/` is (files.home()).
        token: the teacher's; whoever has it may stop, pause and delete every run, and start long ones. By default
            RESNET_DEMO_TOKEN, or a new one.

    Every method may be called from any thread.
    """

    def __init__(self, home: Path, token: str | None = None) -> None:
        self.token = token or os.environ.get("RESNET_DEMO_TOKEN") or secrets.token_urlsafe(12)
        self.folder = home / "runs"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.speeds = Speeds(home / "speeds.json")
        self.timing = Timing(self.speeds)
        self.allowance = Allowance.of_operator()
        self._followers: dict[str, Follower] = {}
        self._lock = threading.RLock()
        self._waiting = Waiting(self.folder / "queue.json")
        self._current: str | None = None
        self._closed = False
        self._only_to_stop: set[str] = set()  # runs that wait only to be measured and written down
        self._told_before = 0  # events in the current run's record when the worker was given it
        self._retried = ""
        self._troubles: dict[str, str] = {}  # reasons that could not be written into a record: a full disk
        self._worker = WorkerProcess(on_reply=self._replied, on_death=self._died)

    def start(self) -> None:
        """Start the process that trains; returns at once, while it warms up."""
        self._worker.start()

    def close(self) -> None:
        """End the process: the run that trains saves a checkpoint and is shown as interrupted after a restart."""
        with self._lock:
            self._closed = True
        self._worker.close(saves=self._current is not None)

    @property
    def machine(self) -> Mapping[str, str]:
        """`device` and `precision` of the process that trains; empty while it warms up."""
        return self._worker.machine

    def submit(self, config: RunConfig, visitor: str, token: str | None = None) -> str:
        """Put a run into the queue; gives its id.

        Raises:
            SettingError: this visitor already has a run waiting, the queue is full, or the run is longer than anyone
                may start (allowance.py) and the token is not the teacher's.
            RunError: it cannot be written to the disk.
        """
        with self._lock:
            if not is_teachers(token, self.token):
                self.allowance.refuse_long(config, self.speeds.estimate(config))
            self._waiting.refuse_more(visitor)
            with room_in(self.folder), new_run(self.folder, config, visitor) as run_id:
                self._waiting.put(run_id)
            self._next()
        return run_id

    def stop(self, run_id: str, visitor: str, token: str | None = None) -> None:
        """End a run and keep what was learnt; a run that waits leaves the queue.

        Raises:
            SettingError: it is another visitor's run and the token is not the teacher's.
        """
        self._ask("stop", run_id, visitor, token)

    def pause(self, run_id: str, visitor: str, token: str | None = None) -> None:
        """Let a run wait, and the next in the queue train, until `resume`. Raises like `stop`."""
        self._ask("pause", run_id, visitor, token)

    def resume(self, run_id: str, visitor: str, token: str | None = None) -> None:
        """Put a run that was paused, interrupted, stopped or failed back into the queue. Raises like `stop`."""
        with self._lock:
            self._may(run_id, visitor, token)
            if self.state(run_id).status in ("waiting", "running", "finished"):
                raise SettingError(f"Run {run_id} is {self.state(run_id).status}: there is nothing to continue.")
            self._waiting.refuse_more(visitor)
            self._enqueue(run_id)

    def delete(self, run_id: str, visitor: str, token: str | None = None) -> None:
        """Remove a run that neither trains nor waits, with its weights. Raises like `stop`."""
        with self._lock:
            self._may(run_id, visitor, token)
            if self.state(run_id).status in ("waiting", "running"):
                raise SettingError(f"Run {run_id} is {self.state(run_id).status}: stop it before you delete it.")
            self._followers.pop(run_id, None)
            shutil.rmtree(self.folder / run_id)

    def record(self, run_id: str) -> Record:
        """The record of a run.

        Raises:
            SettingError: there is no run of that id.
        """
        return self._follower(run_id).record

    def events(self, run_id: str, position: int = 0) -> tuple[list[Event], int]:
        """What happened from the `position`-th event on, and the position to ask for next (watch.py)."""
        return self._follower(run_id).since(position)

    def state(self, run_id: str, visitor: str = "") -> RunState:
        """How a run stands now.

        Raises:
            SettingError: there is no run of that id.
        """
        follower = self._follower(run_id)
        with self._lock:
            place, is_current, wait = self._waiting.place(run_id), run_id == self._current, self._wait(run_id)
            trouble = self._troubles.get(run_id, "")
        return state_of(
            follower, visitor, place=place, is_current=is_current, trouble=trouble, wait_seconds=wait, speeds=self.speeds
        )

    def runs(self, visitor: str = "") -> tuple[RunState, ...]:
        """All runs, newest first."""
        names = sorted((path.name for path in self.folder.iterdir() if RUN_ID.fullmatch(path.name)), reverse=True)
        found = []
        for name in names:
            try:
                found.append(self.state(name, visitor))
            except ResNetDemoError as error:  # deleted meanwhile, or a folder that somebody else made
                log.debug("%s is left out: %s", name, error)
        return tuple(found)

    def summary(self, run_id: str) -> Summary:
        """What a run has come to so far, in a sentence and in a table."""
        return self._follower(run_id).summary()

    def keep(self, run_id: str, arm: str, name: str) -> Path:
        """Save a trained network among the user's models (export.py). Raises SettingError where it cannot."""
        return save_arm(self.record(run_id), arm, name, self.folder.parent / "models")

    def estimate(self, settings: LabSettings) -> Estimate | None:
        """About how long a run takes here, at once; None until the worker has timed its first network.

        A network that was never timed is timed as soon as the worker has nothing else to do (timing.py).
        """
        config = comparison(settings)
        self._measure(config)
        return self.speeds.estimate(config)

    def _follower(self, run_id: str) -> Follower:
        with self._lock:
            if not isinstance(run_id, str) or not RUN_ID.fullmatch(run_id):
                raise SettingError(f"There is no run {str(run_id)[:40]!r}.")
            if not self._is_there(run_id):
                self._followers.pop(run_id, None)
                raise SettingError(f"There is no run {run_id}: it was deleted, or it is on another machine.")
            return self._followers.setdefault(run_id, Follower(self.folder / run_id))

    def _is_there(self, run_id: str) -> bool:
        return (self.folder / run_id / "config.json").exists()

    def _may(self, run_id: str, visitor: str, token: str | None) -> None:
        refuse_strangers(self._follower(run_id).record.folder, visitor, token, self.token)

    def _ask(self, what: Literal["stop", "pause"], run_id: str, visitor: str, token: str | None) -> None:
        with self._lock:
            self._may(run_id, visitor, token)
            state = self.state(run_id)
            if run_id == self._current:
                self._worker.send({"do": what, "folder": str(self.folder / run_id)})
            elif state.status not in (("waiting", "paused", "interrupted") if what == "stop" else ("waiting",)):
                raise SettingError(f"Run {run_id} is {state.status}: it cannot be {'stopped' if what == 'stop' else 'paused'}.")
            elif what == "stop" and self.record(run_id).checkpoint.exists():
                if state.place:
                    self._only_to_stop.add(run_id)
                else:
                    self._enqueue(run_id, only_to_stop=True)
            else:
                if state.place:
                    self._waiting.take(run_id)
                self._end(run_id, RunPaused(step=state.step) if what == "pause" else RunStopped(step=state.step, seconds=0))

    def _end(self, run_id: str, event: RunPaused | RunStopped | RunFailed) -> None:
        try:
            end(self.folder / run_id, event)
        except (OSError, RunError) as error:
            log.warning("The end of run %s could not be written: %s", run_id, error)
            self._troubles[run_id] = event.reason if isinstance(event, RunFailed) else str(error)

    def _enqueue(self, run_id: str, only_to_stop: bool = False) -> None:
        with room_in(self.folder):
            self._waiting.put(run_id)
        self._troubles.pop(run_id, None)
        (self._only_to_stop.add if only_to_stop else self._only_to_stop.discard)(run_id)
        self._next()

    def _next(self) -> None:
        """Give the worker the next run, if it is free."""
        with self._lock:
            while self._waiting and self._current is None and self._worker.machine and not self._closed:
                run_id = self._waiting.take()
                if not self._is_there(run_id):
                    continue
                self._told_before = self._follower(run_id).since()[1]
                self._current = run_id
                self._worker.send({"do": "train", "folder": str(self.folder / run_id), "resume": True})
                if run_id in self._only_to_stop:  # until it is done: a worker that dies first is told so again
                    self._worker.send({"do": "stop", "folder": str(self.folder / run_id)})

    def _measure(self, config: RunConfig) -> None:
        with self._lock:
            free = self._worker.machine and self._current is None and not self._waiting
            if free and (command := self.timing.command(config)):
                self._worker.send(command)

    def _replied(self, reply: dict[str, Any]) -> None:
        """The worker says something; called from its thread."""
        try:
            if "done" in reply:
                self._done(Path(reply["done"]).name, reply["failed"])
            elif "measured" in reply:
                with self._lock:
                    self.timing.answered(reply["measured"], reply["failed"])
        finally:  # whatever could not be handled or written, the queue goes on
            self._next()
        if "ready" in reply:
            self._measure(comparison(PRESETS["One minute: depth 32"]))

    def _done(self, run_id: str, failed: str | None) -> None:
        try:
            last = self._follower(run_id).last()
            if failed and not isinstance(last, RunFailed):
                self._end(run_id, RunFailed(step=last.step if last else 0, reason=failed))
        finally:  # not before: a run without an ending that nobody trains looks interrupted
            self._current = None
            self._only_to_stop.discard(run_id)
        self.speeds.learn(self._follower(run_id).config, self.events(run_id)[0])

    def _died(self, how: str) -> None:
        """The worker ended without being asked; it is started anew, and the run it trained has failed."""
        with self._lock:
            run_id = self._current
            self.timing.died()
        try:
            if run_id is None or not self._is_there(run_id):
                return
            if run_id != self._retried and self._follower(run_id).since()[1] == self._told_before:
                self._retried = run_id  # it had not begun: the next process may try it, once
                with suppress(OSError):  # else it has failed, like any other
                    self._waiting.put(run_id, first=True)
                    return
            last = self._follower(run_id).last()
            if not isinstance(last, ENDINGS):
                reason = f"The process that trained this run ended unexpectedly ({how}). It can be continued from its last checkpoint."
                self._end(run_id, RunFailed(step=last.step if last else 0, reason=reason))
        finally:
            self._current = None

    def _wait(self, run_id: str) -> float | None:
        """Until a run begins: what the one that trains still needs, and those before it. None where nobody knows."""
        place = self._waiting.place(run_id)
        if not place:
            return None
        before = (self._current, *tuple(self._waiting)[: place - 1])
        return seconds_until([self._follower(run) for run in before if run and self._is_there(run)], self.speeds)
