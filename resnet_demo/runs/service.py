"""The lab's queue: runs wait here for the one process that trains. No torch here.

    <home>/runs/<id>/          the record of a run (record.py); ticket.json says whose it is
    <home>/runs/queue.json     the runs that wait, so that a restart keeps them
    <home>/runs/exports.json   stopped runs whose weights the worker still has to write
    <home>/step_times.json         what steps took on this machine (estimate.py)

A page asks `Lab` and never touches the process; a run goes on whoever watches or leaves.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from resnet_demo.comparison import PRESETS, LabSettings, comparison
from resnet_demo.config import RunConfig
from resnet_demo.errors import ResNetDemoError, RunError, SettingError
from resnet_demo.runs.actions import Action, check_action, refusal
from resnet_demo.runs.duration_limit import DurationLimit
from resnet_demo.runs.permissions import check_owner, is_teachers, new_run
from resnet_demo.runs.queue import RunQueue, disk_errors_as_run_error
from resnet_demo.runs.records import RunRecords
from resnet_demo.runs.repeat import repeat_config
from resnet_demo.runs.run_state import RunState, run_state, seconds_until
from resnet_demo.runs.step_times import Estimate, StepTimes
from resnet_demo.runs.timing import TimingQueue
from resnet_demo.runs.worker_process import WorkerProcess
from resnet_demo.training.events import RunFailed, RunPaused, RunStopped
from resnet_demo.training.record import ENDINGS, end

log = logging.getLogger(__name__)


class RunService(RunRecords):
    """The runs of one machine, and the process that trains them, one after the other.

    Args:
        home: the folder in which `runs/` is (files.home()).
        token: the teacher's; whoever has it may stop, pause and delete every run, and start long ones. By default
            RESNET_DEMO_TOKEN, or a new one.

    Every method may be called from any thread.
    """

    def __init__(self, home: Path, token: str | None = None) -> None:
        self.token = token or os.environ.get("RESNET_DEMO_TOKEN") or secrets.token_urlsafe(12)
        super().__init__(home / "runs")
        self.step_times = StepTimes(home / "step_times.json")
        self.timing = TimingQueue(self.step_times)
        self.duration_limit = DurationLimit.of_operator()
        self._waiting = RunQueue(self.folder / "queue.json")
        self._exports = RunQueue(self.folder / "exports.json")  # one stays until it is done: a worker may die at it
        self._current: str | None = None
        self._closed = False
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

    def submit(self, config: RunConfig, visitor: str, token: str | None = None, address: str = "") -> str:
        """Put a run into the queue; gives its id.

        Raises:
            SettingError: the visitor or the network address (limits.py) has runs enough, the queue is full, or the run is
                longer than anyone may start (duration_limit.py) and the token is not the teacher's.
            RunError: it cannot be written to the disk.
        """
        with self._lock:
            if not (is_teacher := is_teachers(token, self.token)):
                self.duration_limit.check_duration(config, self.step_times.estimate(config))
            self._waiting.check_may_queue(visitor, address, is_teacher=is_teacher, wait=self._wait)
            with disk_errors_as_run_error(self.folder), new_run(self.folder, config, visitor) as run_id:
                self._waiting.put(run_id, address=address)
            self._next()
        return run_id

    def stop(self, run_id: str, visitor: str, token: str | None = None) -> None:
        """End a run and keep what it learned; a waiting run leaves the queue at once.

        What a run learned before it waited is in its checkpoint. The worker measures it and writes the weights when it is
        free, before the next run begins.

        Raises:
            SettingError: it is another visitor's run and the token is not the teacher's, or its status does not allow this.
        """
        with self._lock:
            state = self._check("stop", run_id, visitor, token)
            if self._send_request("stop", state):
                return
            self._waiting.discard(run_id)
            self._end(run_id, RunStopped(step=state.step, seconds=0))
            if self.record(run_id).checkpoint.exists():
                with disk_errors_as_run_error(self.folder):
                    self._exports.put(run_id)
                self._next()

    def pause(self, run_id: str, visitor: str, token: str | None = None) -> None:
        """Set a run aside until `resume`, so that the next one in the queue trains. Raises like `stop`."""
        with self._lock:
            state = self._check("pause", run_id, visitor, token)
            if not self._send_request("pause", state):
                self._waiting.discard(run_id)
                self._end(run_id, RunPaused(step=state.step))

    def resume(self, run_id: str, visitor: str, token: str | None = None, address: str = "") -> None:
        """Put a paused, interrupted, stopped or failed run back into the queue. Raises like `stop` and `submit`."""
        with self._lock:
            self._check("continue", run_id, visitor, token)
            self._check_not_exporting(run_id)
            self._waiting.check_may_queue(visitor, address, is_teacher=is_teachers(token, self.token), wait=self._wait)
            self._enqueue(run_id, address=address)

    def repeat(
        self, run_id: str, visitor: str, token: str | None = None, address: str = "", *, other_seed: bool = False
    ) -> str:
        """Put a new run with the settings of an ended one into the queue, for any visitor; returns its id.

        Raises:
            SettingError: as `submit`, or the run has not ended, or it is not a comparison of the lab.
            DataError: its folder of data is no longer a data set.
        """
        check_action("repeat", run_id, self.state(run_id).status)
        return self.submit(repeat_config(self.record(run_id).config, other_seed=other_seed), visitor, token, address)

    def delete(self, run_id: str, visitor: str, token: str | None = None) -> None:
        """Remove an ended run with its weights. Raises like `stop`."""
        with self._lock:
            self._check("delete", run_id, visitor, token)
            self._check_not_exporting(run_id)
            self._exports.discard(run_id)
            self.forget(run_id)
            shutil.rmtree(self.folder / run_id)

    def state(self, run_id: str, visitor: str = "") -> RunState:
        """How a run stands now.

        Raises:
            SettingError: there is no run of that id.
        """
        follower = self.follower(run_id)
        with self._lock:
            place, is_current, wait = self._waiting.place(run_id), run_id == self._current, self._wait(run_id)
            trouble, export = self._troubles.get(run_id, ""), bool(self._exports.place(run_id))
        return run_state(
            follower, visitor, place=place, is_current=is_current, trouble=trouble, export=export, wait_seconds=wait,
            step_times=self.step_times,
        )  # fmt: skip

    def runs(self, visitor: str = "") -> tuple[RunState, ...]:
        """All runs, newest first."""
        found = []
        for name in self.names():
            try:
                found.append(self.state(name, visitor))
            except ResNetDemoError as error:  # deleted meanwhile, or a folder that somebody else made
                log.debug("%s is left out: %s", name, error)
        return tuple(found)

    def estimate(self, settings: LabSettings) -> Estimate | None:
        """About how long a run takes here, at once; None until the worker has timed its first network.

        A network that was never timed is timed as soon as the worker has nothing else to do (timing.py).
        """
        config = comparison(settings)
        self._measure(config)
        return self.step_times.estimate(config)

    def _check(self, action: Action, run_id: str, visitor: str, token: str | None) -> RunState:
        """The state of a run that this visitor may change in this way now; the lock must be held. Raises like `stop`."""
        check_owner(self.follower(run_id).record.folder, visitor, token, self.token)
        state = self.state(run_id)
        check_action(action, run_id, state.status)
        return state

    def _check_not_exporting(self, run_id: str) -> None:
        if run_id == self._current and self._exports.place(run_id):
            raise SettingError(f"What run {run_id} learnt is being measured and written: try again in a moment.")

    def _send_request(self, action: Literal["stop", "pause"], state: RunState) -> bool:
        """Ask the worker to stop or pause a run that trains; False if the run does not train. The lock must be held."""
        if state.status != "running":
            return False
        if state.id != self._current:  # another process trains it, such as the command line
            raise refusal(action, state.id, state.status)
        self._worker.send({"do": action, "folder": str(self.folder / state.id)})
        return True

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
        """Give the worker the next export, else the next run, if it is free. An export is a run that is stopped at once."""
        with self._lock:
            while (self._exports or self._waiting) and self._current is None and self._worker.machine and not self._closed:
                run_id = next(iter(self._exports)) if self._exports else self._waiting.take()
                if not self.is_there(run_id):
                    self._exports.discard(run_id)
                    continue
                self._told_before = self.follower(run_id).since()[1]
                self._current = run_id
                self._worker.send({"do": "train", "folder": str(self.folder / run_id), "resume": True})
                if self._exports.place(run_id):
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
            last = self.follower(run_id).last()
            if failed and not isinstance(last, RunFailed):
                self._end(run_id, RunFailed(step=last.step if last else 0, reason=failed))
        finally:  # not before: a run without an ending that nobody trains looks interrupted
            with self._lock:
                self._current = None
                if isinstance(self.follower(run_id).last(), ENDINGS):  # else the worker left it, as the app or itself ends
                    self._exports.discard(run_id)
        self.step_times.learn(self.follower(run_id).config, self.events(run_id)[0])

    def _died(self, how: str) -> None:
        """The worker ended without being asked; it is started anew, and the run it trained has failed."""
        with self._lock:
            run_id = self._current
            self.timing.died()
        try:
            if run_id is None or not self.is_there(run_id):
                return
            unbegun = self.follower(run_id).since()[1] == self._told_before
            if unbegun and run_id != self._retried:  # the next process may try it, once
                self._retried = run_id
                with suppress(OSError):  # else it has failed, like any other
                    if not self._exports.place(run_id):
                        self._waiting.put(run_id, first=True)
                    return
            self._exports.discard(run_id)
            last = self.follower(run_id).last()
            if unbegun or not isinstance(last, ENDINGS):
                reason = f"The process that trained this run ended unexpectedly ({how}). It can be continued from its last checkpoint."
                self._end(run_id, RunFailed(step=last.step if last else 0, reason=reason))
        finally:
            self._current = None

    def _wait(self, run_id: str) -> float | None:
        """Until a run begins: what the one that trains still needs, and those before it. None where nobody knows."""
        place = self._waiting.place(run_id)
        if not place:
            return None
        before = {self._current or "", *tuple(self._waiting)[: place - 1]} - set(self._exports)  # an export takes moments
        return seconds_until([self.follower(run) for run in before if run and self.is_there(run)], self.step_times)
