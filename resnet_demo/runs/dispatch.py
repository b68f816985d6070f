"""Which run the trainer gets next, and what its replies mean for the runs. No torch here.

    <home>/runs/<id>/          the record of a run (training/record.py); ticket.json says whose it is (permissions.py)
    <home>/runs/queue.json     the runs that wait, so that a restart keeps them
    <home>/runs/exports.json   stopped runs whose weights the trainer still has to write
    <home>/runs/pin.json       the run that the teacher shows to everyone (pin.py)
    <home>/step_times.json     what steps took on this machine (step_times.py)

One lock guards the two queues and `_current`, the run that the trainer has: a method takes it before it reads or changes them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.errors import ResNetDemoError, RunError
from resnet_demo.runs.queue import RunQueue, disk_errors_as_run_error
from resnet_demo.runs.records import RunRecords
from resnet_demo.runs.run_state import RunState, run_state, seconds_until
from resnet_demo.runs.step_times import Estimate, StepTimes
from resnet_demo.runs.timing import TimingQueue
from resnet_demo.runs.trainer import Reply, Trainer
from resnet_demo.training.events import RunFailed, RunPaused, RunStopped
from resnet_demo.training.record import ENDINGS, end

log = logging.getLogger(__name__)


class RunDispatch(RunRecords):
    """Gives the trainer one run after the other, and keeps what it replies.

    Args:
        home: the folder in which `runs/` is (files.home()).
        trainer: trains the runs; it is started by `start`.
        recorded: a folder of finished runs that ship (recorded.py); None for none.

    Every method may be called from any thread.
    """

    def __init__(self, home: Path, trainer: Trainer, recorded: Path | None = None) -> None:
        super().__init__(home / "runs", recorded)
        self.step_times = StepTimes(home / "step_times.json")
        self.timing = TimingQueue(self.step_times)
        self._trainer = trainer
        self._waiting = RunQueue(self.folder / "queue.json")
        self._exports = RunQueue(self.folder / "exports.json")  # an entry stays until its weights are written: a worker may die
        self._current: str | None = None
        self._latest = ""  # the comparison that the trainer started last
        self._request: Literal["stop", "pause"] | None = None  # what the trainer was asked to do with the current run
        self._closed = False
        self._events_before = 0  # events in the current run's record when the trainer got the run
        self._retried = ""
        self._troubles: dict[str, str] = {}  # reasons that could not be written into a record: a full disk
        for runs in (self._waiting, self._exports):
            self._discard_damaged(runs)

    def start(self) -> None:
        """Start the trainer; returns at once, while it warms up."""
        self._trainer.start(self._on_reply, self._on_death)

    def close(self) -> None:
        """End the trainer: the run that trains saves a checkpoint and is shown as interrupted after a restart."""
        with self._lock:
            self._closed = True
            saves = self._current is not None
        self._trainer.close(saves=saves)  # not under the lock: it waits for the thread that brings replies

    @property
    def machine(self) -> Mapping[str, str]:
        """`device` and `precision` of the trainer; empty while it warms up."""
        return self._trainer.machine

    def state(self, run_id: str, visitor: str = "") -> RunState:
        """The state of a run now.

        Raises:
            SettingError: there is no run of that id.
        """
        follower = self.follower(run_id)
        with self._lock:
            place, is_current, wait = self._waiting.place(run_id), run_id == self._current, self._wait(run_id)
            trouble, export = self._troubles.get(run_id, ""), bool(self._exports.place(run_id))
        return run_state(
            follower, visitor, place=place, is_current=is_current, trouble=trouble, export=export, wait_seconds=wait,
            step_times=self.step_times, is_recorded=self.is_recorded(run_id),
        )  # fmt: skip

    def runs(self, visitor: str = "") -> tuple[RunState, ...]:
        """All runs, newest first, then those that ship."""
        states = []
        for name in self.names():
            try:
                states.append(self.state(name, visitor))
            except (ResNetDemoError, OSError) as error:  # deleted meanwhile, damaged, or a folder that somebody else made
                log.debug("%s is left out: %s", name, error)
        return tuple(states)

    def latest(self) -> str:
        """The comparison that started to train last; the newest one if none has started yet; empty if there is none."""
        if self._latest and self.is_there(self._latest):
            return self._latest
        for name in self.names():
            with suppress(ResNetDemoError):  # deleted meanwhile, or a folder that somebody else made
                if self.follower(name).config.transfer is None and not self.is_recorded(name):
                    return name
        return ""

    def estimate(self, settings: LabSettings) -> Estimate | None:
        """About how long a run takes here; None until the trainer has timed its first network (`time_networks`)."""
        return self.step_times.estimate(comparison(settings))

    def time_networks(self, settings: LabSettings) -> None:
        """Let the trainer time those networks of a run that have no measured time yet (timing.py), if it is idle."""
        config = comparison(settings)
        with self._lock:
            if self._trainer.machine and self._current is None and not self._waiting:
                command = self.timing.begin(config)
                if command is not None:
                    self._trainer.send(command)

    def _discard_damaged(self, queue: RunQueue) -> None:
        """Take runs out of a queue whose record cannot be read: they would hold up the others."""
        for run_id in queue:
            try:
                _ = self.follower(run_id).config, self.follower(run_id).since()
            except ResNetDemoError as error:
                log.warning("Run %s is no longer in the queue: %s", run_id, error)
                queue.discard(run_id)

    def _end(self, run_id: str, event: RunPaused | RunStopped | RunFailed) -> None:
        try:
            end(self.folder / run_id, event)
        except (OSError, RunError) as error:
            log.warning("The end of run %s could not be written: %s", run_id, error)
            self._troubles[run_id] = event.reason if isinstance(event, RunFailed) else str(error)

    def _enqueue(self, run_id: str, address: str | None = None) -> None:
        with disk_errors_as_run_error(self.folder):
            self._waiting.put(run_id, address=address)
        self._troubles.pop(run_id, None)
        self._exports.discard(run_id)
        self._next()

    def _next(self) -> None:
        """Give an idle trainer the next export, else the next run. An export is a run that is stopped at its first step."""
        with self._lock:
            while (self._exports or self._waiting) and self._current is None and self._trainer.machine and not self._closed:
                run_id = next(iter(self._exports)) if self._exports else self._waiting.take()
                if not self.is_there(run_id):
                    self._exports.discard(run_id)
                    continue
                self._events_before = self.follower(run_id).since()[1]
                self._current, self._request = run_id, None
                self._trainer.send({"do": "train", "folder": str(self.folder / run_id), "resume": True})
                if self._exports.place(run_id):
                    self._trainer.send({"do": "stop", "folder": str(self.folder / run_id)})
                elif self.follower(run_id).config.transfer is None:
                    self._latest = run_id

    def _end_waiting(self, action: Literal["stop", "pause"], run_id: str, step: int) -> None:
        """Stop or pause a run that does not train. The weights of a stopped one are still to be written. Raises a RunError."""
        self._waiting.discard(run_id)
        self._end(run_id, RunStopped(step=step, seconds=0) if action == "stop" else RunPaused(step=step))
        if action == "stop" and self.record(run_id).checkpoint.exists():
            with disk_errors_as_run_error(self.folder):
                self._exports.put(run_id)
            self._next()

    def _on_reply(self, reply: Reply) -> None:
        """Handle a reply of the trainer; called from a thread of its own."""
        try:
            if "ready" in reply:
                self.step_times.use_device(reply["ready"]["device"])
            elif "done" in reply:
                self._on_done(Path(reply["done"]).name, reply["failed"])
            elif "measured" in reply:
                with self._lock:
                    self.timing.finish(reply["measured"], reply["failed"])
        finally:  # whatever could not be handled or written, the queue goes on
            self._next()
        if "ready" in reply:
            self.time_networks(LabSettings())

    def _on_done(self, run_id: str, failed: str | None) -> None:
        """Take a run back from the trainer.

        The end is written before the trainer is free, both under the lock: in between, a run without an end that nobody
        trains would look interrupted, and Stop would meet a run that trains but cannot be stopped.
        """
        with self._lock:
            try:
                last = self.follower(run_id).last()
                if failed and not isinstance(last, RunFailed):
                    self._end(run_id, RunFailed(step=last.step if last else 0, reason=failed))
            finally:
                self._current = None
                if isinstance(self.follower(run_id).last(), ENDINGS):  # else the trainer left it, as the app or itself ends
                    self._exports.discard(run_id)
        self.step_times.learn(self.follower(run_id).config, self.events(run_id)[0])

    def _on_death(self, how: str) -> None:
        """The trainer ended unasked and starts again: the run that it trained waits once more or has failed."""
        with self._lock:
            self.timing.fail()
            try:
                if self._current is not None and self.is_there(self._current):
                    self._retry_or_fail(self._current, how)
            finally:
                self._current = None

    def _retry_or_fail(self, run_id: str, how: str) -> None:
        """Put a run whose trainer died before its first event back at the head of the queue, once; else it has failed.

        If the trainer was to stop or pause it, that is done instead.
        """
        has_begun = self.follower(run_id).since()[1] > self._events_before
        last = self.follower(run_id).last()
        if not has_begun and self._request is not None and not self._exports.place(run_id):
            self._end_waiting(self._request, run_id, last.step if last else 0)
            return
        if not has_begun and run_id != self._retried:
            self._retried = run_id
            with suppress(OSError):  # a queue that cannot be written: the run has failed
                if not self._exports.place(run_id):
                    self._waiting.put(run_id, first=True)
                return
        self._exports.discard(run_id)
        if not has_begun or not isinstance(last, ENDINGS):
            reason = (
                f"The process that trained this run ended unexpectedly ({how}). It can be continued from its last checkpoint."
            )
            self._end(run_id, RunFailed(step=last.step if last else 0, reason=reason))

    def _wait(self, run_id: str) -> float | None:
        """Seconds until a waiting run begins: what the run that trains and those before it still need; None if unknown."""
        place = self._waiting.place(run_id)
        if not place:
            return None
        before = {self._current or "", *tuple(self._waiting)[: place - 1]} - set(self._exports)  # an export takes moments
        return seconds_until([self.follower(run) for run in before if run and self.is_there(run)], self.step_times)
