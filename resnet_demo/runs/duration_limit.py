"""How long a run may be that anyone may start; longer ones need the teacher's token. No torch here.

The limit is a time, as it is the time of the one process that trains which everybody shares: what takes a night
on two cores takes minutes on an accelerator. The operator sets it by RESNET_DEMO_MINUTES.
"""

from __future__ import annotations

import os

from pydantic import Field

from resnet_demo.comparison import settings_of, steps_per_epoch
from resnet_demo.config import RunConfig
from resnet_demo.errors import SettingError
from resnet_demo.parsing import Frozen, parse
from resnet_demo.runs.step_times import Estimate, slow_step_seconds
from resnet_demo.words import duration


class DurationLimit(Frozen):
    """What anyone may start."""

    minutes: float = Field(
        30, ge=0, le=100_000, description="Minutes a run may take without the teacher's token; 0 for no limit."
    )

    @classmethod
    def of_operator(cls) -> DurationLimit:
        """What RESNET_DEMO_MINUTES says, or the default.

        Raises:
            SettingError: it is no number in the range.
        """
        chosen = os.environ.get("RESNET_DEMO_MINUTES", "").strip()
        try:
            return parse(cls, {"minutes": float(chosen)} if chosen else {})
        except ValueError as error:  # a SettingError is one, and its sentence does not name the variable
            raise SettingError(f"RESNET_DEMO_MINUTES must be a number from 0 to 100,000 (given: {chosen[:40]!r}).") from error

    def covers(self, config: RunConfig, estimate: Estimate | None) -> bool:
        """Whether anyone may start this run."""
        return not self.minutes or expected_seconds(config, estimate) <= 60 * self.minutes

    def check_duration(self, config: RunConfig, estimate: Estimate | None) -> None:
        """Let pass what anyone may start.

        Raises:
            SettingError: the run takes too long; the sentence says how many of its steps, and epochs, do not.
        """
        if self.covers(config, estimate):
            return
        seconds = expected_seconds(config, estimate)
        steps = int(config.steps * 60 * self.minutes / seconds)
        fewer = f"take at most {steps_and_epochs(steps, config)}" if steps else "take smaller networks, pictures or batches"
        raise SettingError(
            f"This run of {steps_and_epochs(config.steps, config)} would take about {duration(seconds)} here, and without the "
            f"teacher's token a run may take {duration(60 * self.minutes)}: {fewer}, or give the token."
        )


def expected_seconds(config: RunConfig, estimate: Estimate | None) -> float:
    """What the run is expected to take: the estimate, or before there is one, what a slow machine would need."""
    if estimate is not None:
        return estimate.seconds
    return config.steps * sum(slow_step_seconds(arm.model, config) for arm in config.arms)


def steps_and_epochs(steps: int, config: RunConfig) -> str:
    """The length of a run in both of the lab's units, epochs rounded down: '3,200 steps (8.2 epochs)'."""
    told, settings = f"{steps:,} {'step' if steps == 1 else 'steps'}", settings_of(config)
    tenths = 10 * steps // steps_per_epoch(settings) if settings else 0
    return f"{told} ({tenths / 10:,.1f} epochs)" if tenths else told
