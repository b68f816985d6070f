"""Which networks the worker times while it has nothing else to do, and which it never will. No torch here.

What could not be timed once (it did not fit into the memory, or ended the worker) is not tried again: every page that
is open asks every few seconds. Then the estimate stays the one that is scaled from a network that was timed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from resnet_demo.config import ModelConfig, RunConfig
from resnet_demo.parsing import parse
from resnet_demo.runs.step_times import StepTimes, key, slow_step_seconds

LONGEST_STEP = 5.0  # seconds; a visitor's run waits for the step that is being timed


class TimingQueue:
    """What was asked of the worker, and what came of it. Not safe to change from two threads: its owner has a lock.

    Args:
        step_times: where the times are kept.
    """

    def __init__(self, step_times: StepTimes) -> None:
        self._speeds = step_times
        self._refused: set[str] = set()  # keys (estimate.py) of what failed
        self._asked: RunConfig | None = None  # while the worker is at it

    @property
    def is_busy(self) -> bool:
        """Whether the worker times networks now."""
        return self._asked is not None

    def open(self, config: RunConfig) -> list[ModelConfig]:
        """The networks of a run that nobody has timed and that can be."""
        return [
            model
            for model in self._speeds.missing(config)
            if key(model, config) not in self._refused and self._expected(model, config) <= LONGEST_STEP
        ]

    def command(self, config: RunConfig) -> dict[str, Any] | None:
        """What to ask of a worker that is free, if anything."""
        wanted = self.open(config) if self._asked is None else []
        if not wanted:
            return None
        self._asked = config.model_copy(update={"arms": tuple(arm for arm in config.arms if arm.model in wanted)})
        return {"do": "measure", "config": self._asked.model_dump(mode="json")}

    def answered(self, measured: Iterable[Mapping[str, Any]], failed: Iterable[Mapping[str, Any]]) -> None:
        """The worker is done: keep the times, and what could not be timed."""
        asked, self._asked = self._asked, None
        if asked is not None:
            self._refused.update(key(parse(ModelConfig, model), asked) for model in failed)
            for timed in measured:
                self._speeds.add(parse(ModelConfig, timed["model"]), asked, timed["step_seconds"], timed["picture_seconds"])

    def died(self) -> None:
        """The worker ended while it timed something, perhaps because of it."""
        asked, self._asked = self._asked, None
        if asked is not None:
            self._refused.update(key(arm.model, asked) for arm in asked.arms)

    def _expected(self, model: ModelConfig, config: RunConfig) -> float:
        scaled = self._speeds.step_seconds(model, config)
        return slow_step_seconds(model, config) if scaled is None else scaled
