"""Which networks the trainer times while it is idle, and which it never will. No torch here.

A network that could not be timed once (it did not fit into the memory, or ended the trainer) is not tried again: every open
page asks every few seconds. Its estimate stays the one that is scaled from another network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from resnet_demo.config import ModelConfig, RunConfig
from resnet_demo.parsing import parse
from resnet_demo.runs.step_times import StepTimes, slow_step_seconds
from resnet_demo.runs.trainer import Measure

LONGEST_STEP = 5.0  # seconds; a visitor's run waits for the step that is being timed


class TimingQueue:
    """The networks that the trainer times now, and those that failed. Not safe to change from two threads: its owner has a lock.

    Args:
        step_times: where the times are kept.
    """

    def __init__(self, step_times: StepTimes) -> None:
        self._step_times = step_times
        self._failed: set[str] = set()  # keys (step_times.py)
        self._current: RunConfig | None = None  # its networks are being timed

    @property
    def is_busy(self) -> bool:
        """Whether the trainer times networks now."""
        return self._current is not None

    def pending(self, config: RunConfig) -> list[ModelConfig]:
        """The networks of a run that have no measured time and can be timed."""
        return [
            model
            for model in self._step_times.missing(config)
            if self._step_times.key(model, config) not in self._failed and self._expected_seconds(model, config) <= LONGEST_STEP
        ]

    def begin(self, config: RunConfig) -> Measure | None:
        """Begin to time the pending networks of a run: returns the command for an idle trainer, or None if there are none."""
        models = self.pending(config) if self._current is None else []
        if not models:
            return None
        self._current = config.model_copy(update={"arms": tuple(arm for arm in config.arms if arm.model in models)})
        return {"do": "measure", "config": self._current.model_dump(mode="json")}

    def finish(self, measured: Iterable[Mapping[str, Any]], failed: Iterable[Mapping[str, Any]]) -> None:
        """Keep the times that the trainer measured, and which networks it could not time."""
        config, self._current = self._current, None
        if config is not None:
            self._failed.update(self._step_times.key(parse(ModelConfig, model), config) for model in failed)
            for times in measured:
                model = parse(ModelConfig, times["model"])
                self._step_times.add(model, config, times["step_seconds"], times["picture_seconds"])

    def fail(self) -> None:
        """The trainer ended, perhaps because of the networks that it timed: they are not tried again."""
        config, self._current = self._current, None
        if config is not None:
            self._failed.update(self._step_times.key(arm.model, config) for arm in config.arms)

    def _expected_seconds(self, model: ModelConfig, config: RunConfig) -> float:
        scaled = self._step_times.step_seconds(model, config)
        return slow_step_seconds(model, config) if scaled is None else scaled
