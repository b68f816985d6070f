"""What a visitor should know about a transfer before its start. No torch here."""

from __future__ import annotations

from resnet_demo.config import RunConfig
from resnet_demo.inference.networks import download_note
from resnet_demo.runs.forecast import data_note, token_note
from resnet_demo.runs.service import RunService
from resnet_demo.runs.step_times import Estimate, slow_seconds
from resnet_demo.transfer.settings import TRANSFER_PRESETS
from resnet_demo.transfer.work import picture_counts
from resnet_demo.words import duration, duration_range
from resnet_demo.zoo.catalogue import available

SHORT = 5
"""Seconds of training and of forward passes below which an estimate says 'a few': what else a run does takes longer."""


def transfer_forecast(service: RunService, config: RunConfig, preset: str = "", token: object = "") -> str:
    """Say what is learned from, how long it takes, what must be downloaded, and whether it needs the token.

    Args:
        service: that would train it.
        config: of the run.
        preset: the title of the preset whose advice is added; any other text for none.
        token: that the visitor typed as the teacher's.
    """
    estimate = service.step_times.estimate(config)
    sentences = [
        data_note(config.data.source), _base(config), _length(config, estimate),
        "" if service.duration_limit.covers(config, estimate) else token_note(service, token),
    ]  # fmt: skip
    text = " ".join(sentence for sentence in sentences if sentence)
    return f"{text}\n\n{TRANSFER_PRESETS[preset].look_for}" if preset in TRANSFER_PRESETS else text


def _base(config: RunConfig) -> str:
    base = config.transfer.base if config.transfer else ""
    note = next((download_note(entry) for entry in available() if entry.name == base), "").removeprefix(": ")
    if note.startswith("not here"):
        return "**The base is not on this machine, and the app runs offline, so this run would fail:** choose another one."
    return f"**The base comes from the Hub first:** {note}." if note else ""


def _length(config: RunConfig, estimate: Estimate | None) -> str:
    slowest = slow_seconds(config) if estimate is None else estimate.longest
    if slowest < SHORT:
        time = "A few seconds on this machine"  # to load the base and to write the network, mostly
    elif estimate is None:
        time = f"At most about {duration(slowest)} on this machine"  # before anything is measured
    else:
        time = f"About {duration_range(estimate.seconds, slowest)} on this machine"
    counts = picture_counts(config, config.transfer) if config.transfer else (0, 0, 0)
    classes, side = config.arms[0].model.classes, config.data.image_size
    train, validation, test = (f"{count:,}" for count in counts)
    return (
        f"{time}: {train} pictures of {classes} classes at {side} × {side} to learn from, {validation} to watch it by, {test} to test on "
        "at the end."
    )
