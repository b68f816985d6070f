"""The longest run a visitor may start without the teacher's token. No torch here.

The limit is a time, not a number of steps, because visitors share the time of one trainer: what takes a night on two cores
takes minutes on an accelerator. The operator sets it with RESNET_DEMO_MINUTES.
"""

from __future__ import annotations

import os

from pydantic import Field

from resnet_demo.comparison import settings_of, steps_per_epoch
from resnet_demo.config import RunConfig
from resnet_demo.errors import SettingError
from resnet_demo.parsing import Frozen, parse
from resnet_demo.runs.step_times import Estimate, slow_seconds
from resnet_demo.words import duration


class DurationLimit(Frozen):
    """The length of a run that a visitor may start without the teacher's token."""

    minutes: float = Field(
        30, ge=0, le=100_000, description="Minutes a run may take without the teacher's token; 0 for no limit."
    )

    @classmethod
    def from_environment(cls) -> DurationLimit:
        """The limit in RESNET_DEMO_MINUTES, or the default.

        Raises:
            SettingError: it is not a number in the range.
        """
        value = os.environ.get("RESNET_DEMO_MINUTES", "").strip()
        try:
            return parse(cls, {"minutes": float(value)} if value else {})
        except ValueError as error:  # a SettingError is one, and its sentence does not name the variable
            raise SettingError(f"RESNET_DEMO_MINUTES must be a number from 0 to 100,000 (given: {value[:40]!r}).") from error

    def covers(self, config: RunConfig, estimate: Estimate | None) -> bool:
        """Whether a visitor may start this run without the teacher's token."""
        return not self.minutes or expected_seconds(config, estimate) <= 60 * self.minutes

    def check_duration(self, config: RunConfig, estimate: Estimate | None) -> None:
        """Check that a visitor may start this run without the teacher's token.

        Raises:
            SettingError: the run takes too long; the sentence says how many of its steps, and epochs, would fit.
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
    """The estimate, or before there is one, the time that a slow machine would need."""
    if estimate is not None:
        return estimate.seconds
    return slow_seconds(config)


def steps_and_epochs(steps: int, config: RunConfig) -> str:
    """The length of a run in both of the lab's units, epochs rounded down: '3,200 steps (8.2 epochs)'."""
    length, settings = f"{steps:,} {'step' if steps == 1 else 'steps'}", settings_of(config)
    tenths = 10 * steps // steps_per_epoch(settings) if settings else 0
    return f"{length} ({tenths / 10:,.1f} epochs)" if tenths else length
