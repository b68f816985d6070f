"""The runs of one machine as its visitors use them: start, stop, pause, continue, repeat, delete, pin. No torch here.

dispatch.py says which run trains next, permissions.py whose run it is, actions.py what its status allows. A page asks
`RunService` and never the trainer; a run goes on whoever watches or leaves.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from collections import Counter
from pathlib import Path
from typing import Literal

from resnet_demo.config import RunConfig
from resnet_demo.errors import ResNetDemoError, SettingError
from resnet_demo.model.cost import cost
from resnet_demo.results.export import save_arm
from resnet_demo.results.summary import Winner, deepest_pair
from resnet_demo.runs.actions import ALLOWED, TEACHER_ACTIONS, Action, check_action, refusal
from resnet_demo.runs.clearing import UNDELETABLE, Clearing, plan_clearing
from resnet_demo.runs.dispatch import RunDispatch
from resnet_demo.runs.duration_limit import DurationLimit
from resnet_demo.runs.permissions import check_owner, check_teacher, is_teachers, new_run
from resnet_demo.runs.pin import Pin
from resnet_demo.runs.predictions import Predictions, Tally
from resnet_demo.runs.queue import disk_errors_as_run_error
from resnet_demo.runs.repeat import repeat_config
from resnet_demo.runs.run_state import RunState
from resnet_demo.runs.trainer import Trainer

log = logging.getLogger(__name__)
MODELS = 50  # kept without the teacher's token
FREE_BYTES = 500_000_000  # that a run must leave on the disk
BYTES_OF_PARAMETER = 20  # in the checkpoint with two moments, while it is replaced, and in the weights


class RunService(RunDispatch):
    """The runs of one machine, which one trainer trains one after the other.

    Args:
        home: the folder in which `runs/` is (files.home()).
        trainer: trains the runs; it is started by `start`.
        token: the teacher's; whoever has it may stop, pause and delete every run, start long ones, and pin one. By default
            RESNET_DEMO_TOKEN, or a new one.
        recorded: a folder of finished runs that ship (recorded.py); None for none.

    Every method may be called from any thread.
    """

    def __init__(self, home: Path, trainer: Trainer, token: str | None = None, recorded: Path | None = None) -> None:
        super().__init__(home, trainer, recorded)
        self.token = token or os.environ.get("RESNET_DEMO_TOKEN") or secrets.token_urlsafe(12)
        self.duration_limit = DurationLimit.from_environment()
        self._predictions = Predictions(self.folder)
        self._pin = Pin(self.folder / "pin.json")

    def submit(self, config: RunConfig, visitor: str, token: str | None = None, address: str = "") -> str:
        """Put a run into the queue; returns its id.

        Raises:
            SettingError: the visitor or the network address has enough runs (queue_limits.py), the queue is full, or the run
                is longer than a visitor may start (duration_limit.py) and the token is not the teacher's.
            RunError: it cannot be written to the disk.
        """
        with self._lock:
            is_teacher = is_teachers(token, self.token)
            _check_disk(config, self.folder)
            if not is_teacher:
                self.duration_limit.check_duration(config, self.step_times.estimate(config))
            self._waiting.check_may_queue(visitor, address, is_teacher=is_teacher, wait=self._wait)
            with disk_errors_as_run_error(self.folder), new_run(self.folder, config, visitor) as run_id:
                self._waiting.put(run_id, address=address)
            self._next()
        return run_id

    def stop(self, run_id: str, visitor: str, token: str | None = None) -> None:
        """End a run and keep what it learned; a waiting run leaves the queue at once.

        What a run learned before it waited is in its checkpoint. The trainer measures it and writes the weights when it is
        free, before the next run begins.

        Raises:
            SettingError: it is another visitor's run and the token is not the teacher's, or its status does not allow this.
        """
        with self._lock:
            state = self._check("stop", run_id, visitor, token)
            if not self._send_request("stop", state):
                self._end_waiting("stop", run_id, state.step)

    def pause(self, run_id: str, visitor: str, token: str | None = None) -> None:
        """Set a run aside until `resume`, so that the next one in the queue trains. Raises like `stop`."""
        with self._lock:
            state = self._check("pause", run_id, visitor, token)
            if not self._send_request("pause", state):
                self._end_waiting("pause", run_id, state.step)

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
            self._predictions.forget(run_id)
            shutil.rmtree(self.folder / run_id)

    @property
    def pinned(self) -> str:
        """The run that the teacher shows to everyone; empty for none."""
        run_id = self._pin.run
        return run_id if run_id and self.is_there(run_id) else ""

    def pin(self, run_id: str, visitor: str, token: str | None = None) -> None:
        """Show a comparison to everyone who has not chosen one.

        Raises:
            SettingError: the token is not the teacher's, or there is no such comparison.
            RunError: it cannot be written to the disk.
        """
        with self._lock:
            if self._check("pin", run_id, visitor, token).is_transfer:
                raise SettingError("The Lab shows no transfer: choose a comparison.")
            with disk_errors_as_run_error(self.folder):
                self._pin.move(run_id)

    def unpin(self, token: str | None) -> None:
        """Stop showing a run to everyone. Raises like `pin`."""
        check_teacher(token, self.token)
        with self._lock, disk_errors_as_run_error(self.folder):
            self._pin.move("")

    def plan_clearing(self, visitor: str, token: str | None = None) -> Clearing:
        """What `clear` would do now with the comparisons of this visitor or, for the teacher, of all visitors.

        Raises:
            SettingError: there is a token, and it is not the teacher's.
        """
        if token:
            check_teacher(token, self.token)
        comparisons = (state for state in self.runs(visitor) if not state.is_transfer and state.status != "recorded")
        return plan_clearing(comparisons, lambda state: bool(token) or state.yours)

    def clear(self, visitor: str, token: str | None = None) -> Clearing:
        """Delete the runs of `plan_clearing`; returns those deleted, and how many stay and why. Raises like `plan_clearing`."""
        with self._lock:
            plan = self.plan_clearing(visitor, token)
            deleted = []
            for run_id in plan.runs:
                try:
                    self.delete(run_id, visitor, token)
                    deleted.append(run_id)
                except (ResNetDemoError, OSError) as error:
                    log.warning("Run %s stays in the list: %s", run_id, error)
            return Clearing(tuple(deleted), plan.stay + Counter({UNDELETABLE: len(plan.runs) - len(deleted)}))

    def keep(self, run_id: str, arm: str, name: str, visitor: str, token: str | None = None) -> Path:
        """Save a trained network among the user's models (results/export.py).

        Raises:
            SettingError: it is another visitor's run, or there are MODELS kept already, and the token is not the teacher's;
                or the network has no weights, or the name is taken or not allowed.
        """
        if self.is_recorded(run_id):
            raise SettingError(f"Run {run_id} is recorded and ships with this app: train a network of your own to keep it.")
        check_owner(self.follower(run_id).record.folder, visitor, token, self.token)
        models = self.folder.parent / "models"
        if not is_teachers(token, self.token) and models.is_dir() and len(list(models.iterdir())) >= MODELS:
            raise SettingError(f"{MODELS} models are kept here already: the teacher's token is needed to keep another one.")
        return save_arm(self.record(run_id), arm, name, models)

    def predict(self, run_id: str, visitor: str, choice: Winner) -> None:
        """Record a visitor's prediction of a comparison that has not ended (predictions.py).

        Raises:
            SettingError: there is no such run, it has ended, or it compares no plain network with a residual one.
            RunError: it cannot be written to the disk.
        """
        with self._lock:
            check_action("predict", run_id, self.state(run_id).status)
            if deepest_pair(self.follower(run_id).config) is None:
                raise SettingError(f"Run {run_id} compares no plain network with a residual one: there is nothing to predict.")
            with disk_errors_as_run_error(self.folder):
                self._predictions.predict(run_id, visitor, choice)

    def tally(self, run_id: str, visitor: str) -> Tally | None:
        """The predictions of a comparison as a visitor may see them; None for other runs. Raises a SettingError as `state`."""
        status, depth = self.state(run_id).status, deepest_pair(self.follower(run_id).config)
        if depth is None or status == "recorded":
            return None
        is_open = "predict" in ALLOWED[status]
        winner = None if is_open else self.summary(run_id).winner
        return self._predictions.tally(run_id, visitor, depth, is_open=is_open, winner=winner)

    def _check(self, action: Action, run_id: str, visitor: str, token: str | None) -> RunState:
        """The state of a run that this visitor may change in this way now; the lock must be held. Raises like `stop`."""
        if action in TEACHER_ACTIONS:
            check_teacher(token, self.token)
        elif not self.is_recorded(run_id):  # a recorded run has no owner, and its status allows no more than to repeat it
            check_owner(self.follower(run_id).record.folder, visitor, token, self.token)
        state = self.state(run_id)
        check_action(action, run_id, state.status)
        return state

    def _check_not_exporting(self, run_id: str) -> None:
        if run_id == self._current and self._exports.place(run_id):
            raise SettingError(f"Run {run_id} is being measured and its weights are being written: try again in a moment.")

    def _send_request(self, action: Literal["stop", "pause"], state: RunState) -> bool:
        """Ask the trainer to stop or pause a run that trains; False if the run does not train. The lock must be held."""
        if state.status != "running":
            return False
        if state.id != self._current:  # another process trains it, such as the command line
            raise refusal(action, state.id, state.status)
        self._request = action
        self._trainer.send({"do": action, "folder": str(self.folder / state.id)})
        return True


def _check_disk(config: RunConfig, folder: Path) -> None:
    """Raise a SettingError if the checkpoints and weights of a run would leave too little room on the disk."""
    parameters = sum(cost(arm.model).parameters for arm in config.arms)
    if shutil.disk_usage(folder).free - parameters * BYTES_OF_PARAMETER < FREE_BYTES:
        raise SettingError(
            f"The networks of this run have {parameters:,} parameters, and the disk has no room for their checkpoints: take "
            "fewer seeds, smaller networks, or make room where the runs are kept."
        )
