"""What a visitor should know of a run before it is started, and the link that carries its settings. No torch here."""

from __future__ import annotations

import json
from urllib.parse import quote

from resnet_demo.lab import (
    PAPER_STEPS,
    LabSettings,
    comparison,
    share_of_paper,
    steps_per_epoch,
    training_images,
)
from resnet_demo.training.allowance import duration
from resnet_demo.training.queue import Lab


def forecast(laboratory: Lab, settings: LabSettings) -> str:
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
    if laboratory.allowance.covers(config, estimate):
        return told
    return f"{told} **Runs of more than {duration(60 * laboratory.allowance.minutes)} need the teacher's token.**"


def percent(share: float) -> str:
    """A share of one in percent: 'under 0.01 %', '0.31 %', '12 %', '100 %'."""
    if share < 0.0001:
        return "under 0.01 %"
    return f"{100 * share:.{2 if share < 0.1 else 0}f} %"


def link(settings: LabSettings) -> str:
    """The end of an address that opens the page with these settings: what differs from the defaults."""
    changed = {name: value for name, value in settings.model_dump().items() if value != getattr(LabSettings(), name)}
    return "?settings=" + quote(json.dumps(changed, separators=(",", ":")))
