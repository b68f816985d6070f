"""The results of a transfer in words: a sentence and a table computed from its one event, and its model card. No torch here."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence

from resnet_demo.config import ArmConfig, RunConfig
from resnet_demo.training.events import Baseline, Event, Measured, PhaseStarted, RunStarted, TrainingPoint, TransferMeasured
from resnet_demo.transfer.settings import TransferSettings, settings_of

CHANCE = 0.05
"""A difference is called more than chance where McNemar's exact test gives less."""

ARTICLES = {
    "linear probe": "a linear probe",
    "nearest class mean": "the nearest class mean",
    "from scratch": "training from scratch",
}


Remark = Callable[[RunConfig, TransferMeasured], str]
"""A text about a result that needs more than the result: the paper's figures, which the reports know (results/)."""


def measurement(events: Sequence[Event]) -> TransferMeasured | None:
    """The event with the results of a transfer; None before its end."""
    return next((event for event in reversed(events) if isinstance(event, TransferMeasured)), None)


def sentence(result: TransferMeasured) -> str:
    """A text of a few sentences: how good the network is, what transfer gained, and whether that is more than chance.

    Of all networks the same test pictures are counted, so two of them are compared by McNemar's exact test: over the pictures
    that only one of them has right.
    """
    low, high = result.interval
    guess = max(sum(row) for row in result.confusion) / result.test_images
    parts = [
        f"The transferred network is right on {_percent(result.test_accuracy)} of the {result.test_images:,} test pictures "
        f"(95 % interval by Wilson: {100 * low:.1f} to {_percent(high)}); always naming the most frequent class would be right "
        f"on {_percent(guess)}."
    ]
    parts += [_comparison(result, baseline) for baseline in result.baselines]
    return " ".join(parts)


def unfinished(config: RunConfig, events: Sequence[Event]) -> str:
    """A sentence about a transfer that is not measured yet: how far it is, and its latest measurement of validation pictures."""
    step = max((event.step for event in events if isinstance(event, TrainingPoint)), default=0)
    if not step:
        return "Nothing has been learned yet."
    phase = next((event for event in reversed(events) if isinstance(event, PhaseStarted)), None)
    latest = next((event for event in reversed(events) if isinstance(event, Measured)), None)
    where = f", in the phase {phase.name}" if phase else ""
    right = f" {latest.arm} is right on {_percent(1 - latest.error)} of the validation pictures." if latest else ""
    return f"After {step:,} of {config.steps:,} steps{where}.{right} The test pictures are measured at the end."


def _comparison(result: TransferMeasured, baseline: Baseline) -> str:
    points = 100 * (result.test_accuracy - baseline.test_accuracy)
    name = ARTICLES[baseline.name]
    start = f"{name[0].upper()}{name[1:]} reaches {_percent(baseline.test_accuracy)}"
    if baseline.p >= CHANCE:
        return f"{start}; that is no more of a difference than chance explains (McNemar's exact test, {_p(baseline.p)})."
    gain = "gained" if points > 0 else "lost"
    what = "Transfer" if baseline.name == "from scratch" else "The transferred network"
    return (
        f"{start}. {what} {gain} {abs(points):.1f} points, more than chance explains (McNemar's exact test, {_p(baseline.p)})."
    )


def table(result: TransferMeasured) -> list[tuple[str, float]]:
    """A row for the transferred network and for each baseline: its name and its accuracy on the test pictures."""
    return [("transfer", result.test_accuracy), *((baseline.name, baseline.test_accuracy) for baseline in result.baselines)]


def command(config: RunConfig) -> str:
    """The `transfer` command that makes this run; empty if its data or base are no longer what they were."""
    settings = settings_of(config)
    if settings is None:
        return ""
    words = [f"--base {shlex.quote(settings.base)}", f"--data {shlex.quote(settings.data)}", *_options(settings)]
    return " ".join(["python -m resnet_demo transfer", *words, "--out DIR"])


def _options(settings: TransferSettings) -> Iterator[str]:
    for name, field in type(settings).model_fields.items():
        value, option = getattr(settings, name), name.replace("_", "-")
        if name in ("base", "data") or value == field.default:
            continue
        yield f"--{'' if value else 'no-'}{option}" if isinstance(value, bool) else f"--{option} {shlex.quote(str(value))}"


def card(arm: ArmConfig, events: Sequence[Event], *, config: RunConfig, data: str, remark: Remark = lambda *_: "") -> str:
    """The model card of a network of a transfer.

    Args:
        arm: which network.
        events: what happened in the run.
        config: its settings.
        data: the name of its data.
        remark: what else is said about the result.
    """
    start = next((event for event in events if isinstance(event, RunStarted)), None)
    base = config.transfer.base.rpartition("/")[2] if config.transfer and config.transfer.base.startswith("/") else ""
    base = base or (config.transfer.base if config.transfer else "")
    result, line = measurement(events), command(config)
    machine = f"- {start.device}, {start.precision}, PyTorch {start.torch}, begun {start.time}\n" if start else ""
    remarks = f"{remark(config, result)}\n\n" if result and remark(config, result) else ""
    return (
        f"# {arm.model.name}: {base} transferred to {data}\n\n"
        f"The network `{arm.name}` of a transfer by ResNet Lab: {len(config.arms)} trained in one run, seed {arm.seed}.\n\n"
        f"{sentence(result) if result else 'It was not measured on test pictures.'}\n\n{remarks}"
        "The test pictures were measured once, at the end, and nothing was chosen by them.\n\n"
        f"## How it was trained\n\n{f'    {line}' if line else 'The data or the base have changed since.'}\n\n"
        f"{machine}- preprocessing and class names are in `config.json`\n"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
