"""What a visitor should know of a run before it is started, and the link that carries its settings. No torch here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from resnet_demo.lab import (
    LOOK_FOR,
    PAPER_STEPS,
    PRESETS,
    LabSettings,
    comparison,
    share_of_paper,
    steps_per_epoch,
    training_images,
)
from resnet_demo.training.allowance import duration
from resnet_demo.training.queue import Lab


@dataclass(frozen=True)
class Forecast:
    """What a visitor is told, and whether it stays so: a network that was not timed itself may soon be."""

    said: str
    is_measured: bool  # as far as it ever will be: what takes too long or failed is not timed (timing.py)
    preset: str | None  # that these settings are


def forecast(laboratory: Lab, settings: LabSettings) -> Forecast:
    """How long the run will take here, how much training that is, and whether it needs the teacher's token.

    Raises:
        SettingError: the settings do not go together.
        DataError: the folder of data is no data set.
    """
    config, estimate = comparison(settings), laboratory.estimate(settings)
    lasts = f"About {duration(estimate.seconds)} on this machine" if estimate else "How long it takes here is not known yet"
    epochs = config.steps / steps_per_epoch(settings)
    told = (
        f"{lasts}: {config.steps:,} {'step' if config.steps == 1 else 'steps'}, "
        f"{epochs:,.{0 if epochs >= 100 else 1}f} epochs of {training_images(settings):,} images; "
        f"{percent(share_of_paper(config.steps, config.batch))} of the paper's training "
        f"({PAPER_STEPS:,} iterations of 128 images)."
    )
    if not laboratory.allowance.covers(config, estimate):
        told += f" **Runs of more than {duration(60 * laboratory.allowance.minutes)} need the teacher's token.**"
    is_measured = estimate is not None and not laboratory.timing.open(config)
    preset = config.title if config.title in PRESETS else None
    if preset is not None:
        told += f"\n\n{LOOK_FOR[preset]}"
    return Forecast(told, is_measured, preset)


def percent(share: float) -> str:
    """A share of one in percent: 'under 0.01 %', '0.31 %', '12 %', '100 %'."""
    if share < 0.0001:
        return "under 0.01\N{NO-BREAK SPACE}%"
    digits = 2 if round(100 * share, 2) < 10 else 0
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def link(settings: LabSettings) -> str:
    """The end of an address that opens the page with these settings: what differs from the defaults."""
    changed = {name: value for name, value in settings.model_dump().items() if value != getattr(LabSettings(), name)}
    return "?settings=" + quote(json.dumps(changed, separators=(",", ":")))
