"""What a visitor should know about a run before its start, and the link that carries its settings. No torch here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from huggingface_hub import constants

from resnet_demo.comparison import (
    PRESETS,
    LabSettings,
    comparison,
    steps_per_epoch,
    training_images,
)
from resnet_demo.config import RunConfig
from resnet_demo.data import cifar10
from resnet_demo.recipes import PAPER_ITERATIONS, share_of_paper
from resnet_demo.runs.permissions import is_teachers
from resnet_demo.runs.service import RunService
from resnet_demo.runs.step_times import Estimate
from resnet_demo.words import duration, duration_range, percent

TIMED_NOW = "Its networks are being timed: a measured estimate follows."
TIMED_LATER = "Its networks are timed as soon as the trainer is free: a measured estimate follows."


@dataclass(frozen=True)
class Forecast:
    """The text about a run that has not started, and whether it is final: a network without a measured time may get one soon."""

    text: str
    is_measured: bool  # as far as possible: networks that are too slow or that failed are never timed (timing.py)
    preset: str | None  # the title of the preset with these settings


def forecast(service: RunService, settings: LabSettings, token: object = "") -> Forecast:
    """Say whether a run's data are on this machine, how long it takes, how much training that is, and whether it needs the token.

    Args:
        service: that would train it.
        settings: of the run.
        token: that the visitor typed as the teacher's.

    Raises:
        SettingError: the settings do not go together.
        DataError: the folder of data is not a data set.
    """
    config, estimate = comparison(settings), service.estimate(settings)
    is_measured = estimate is not None and not service.timing.pending(config)
    sentences = [
        data_note(settings.data), _length(settings, config, estimate),
        "" if is_measured else TIMED_NOW if service.timing.is_busy else TIMED_LATER,
        "" if service.duration_limit.covers(config, estimate) else token_note(service, token),
    ]  # fmt: skip
    text = " ".join(sentence for sentence in sentences if sentence)
    preset = config.title if config.title in PRESETS else None
    if preset is not None:
        text += f"\n\n{PRESETS[preset].look_for}{_recorded(service, preset)}"
    return Forecast(text, is_measured, preset)


def _recorded(service: RunService, preset: str) -> str:
    """Links to the recorded runs that show a preset, after a space; empty where none ships."""
    ids = {title: run_id for run_id, title in service.recorded().items()}
    titles = [title for title in (preset, *PRESETS[preset].recorded) if title in ids]
    links = [f"[{title}](?tab=lab&run={ids[title]})" for title in titles]
    return f" Recorded, to look at now: {', '.join(links)}." if links else ""


def data_note(source: str) -> str:
    """What must happen before a run can train on these data; empty if they are on this machine."""
    if source != "cifar10" or cifar10.is_local():
        return ""
    if constants.HF_HUB_OFFLINE:
        return (
            f"**CIFAR-10 is not on this machine, and the app runs offline, so this run would fail.** Whoever runs the app can "
            f"download it ({cifar10.MEGABYTES} MB) over a network: `python -m resnet_demo prefetch --data cifar10`"
        )
    return f"**CIFAR-10 is not on this machine yet:** the run begins with a download of {cifar10.MEGABYTES} MB."


def _length(settings: LabSettings, config: RunConfig, estimate: Estimate | None) -> str:
    time = "How long it takes here is not known yet"
    if estimate is not None:
        time = f"About {duration_range(estimate.seconds, estimate.longest)} on this machine (browsers that draw the curves slow it down)"
    epochs = config.steps / steps_per_epoch(settings)
    return (
        f"{time}: {config.steps:,} {'step' if config.steps == 1 else 'steps'}, "
        f"{epochs:,.{0 if epochs >= 100 else 1}f} epochs of {training_images(settings):,} images; "
        f"{percent(share_of_paper(config.steps, config.batch))} of the paper's training "
        f"({PAPER_ITERATIONS:,} iterations of 128 images)."
    )


def token_note(service: RunService, token: object) -> str:
    """That a run needs the teacher's token, and whether the one that was typed is it."""
    limit = duration(60 * service.duration_limit.minutes)
    if is_teachers(token, service.token):
        return f"It is longer than the {limit} that anyone may start; the teacher's token allows it."
    wrong = "; the token that was typed is not the teacher's" if token else ""
    return f"**Runs of more than {limit} need the teacher's token{wrong}.**"


def link(settings: LabSettings) -> str:
    """The query string that opens the page with these settings; it holds those that differ from the defaults."""
    changed = {name: value for name, value in settings.model_dump().items() if value != getattr(LabSettings(), name)}
    return "?settings=" + quote(json.dumps(changed, separators=(",", ":")))
