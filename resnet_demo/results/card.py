"""A model card, computed from the record of a run and a measurement: what was trained, how, and how good it is."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from resnet_demo.config import IMAGENET_STAGES, ArmConfig, DataConfig, ModelConfig, OptimizerConfig, RunConfig
from resnet_demo.parsing import Frozen
from resnet_demo.training.events import Event, RunFinished, RunStarted, RunStopped

if TYPE_CHECKING:
    from resnet_demo.evaluation.metrics import Scores

PAPER_DEPTHS = (20, 32, 44, 56, 110, 1202)
"""Layers of the networks of section 4.2; 8 and 14 are of its form, but not in it."""


def card(
    name: str, arm: ArmConfig, config: RunConfig, history: Sequence[Event], data: str, scores: Scores, licence: str = ""
) -> str:
    """The text of README.md, with the front matter that the Hub reads.

    Args:
        name: of the model.
        arm: which network of the run.
        config: the run's settings.
        history: what happened in the run.
        data: name of the data that the run drew from, and that was measured on.
        scores: of this network on the test images of `data`.
        licence: under which its maker gives the weights away, as the Hub names it; empty for none.
    """
    starts = [event for event in history if isinstance(event, RunStarted)]
    ends = [event for event in history if isinstance(event, (RunFinished, RunStopped))]
    if not starts or not ends:
        raise ValueError("a card is written for a run that has ended")
    first, end = starts[0], ends[-1]
    datasets = "datasets: [uoft-cs/cifar10]\n" if config.data.source in ("cifar10", "bundled") else ""
    license_line = f"license: {licence}\n" if licence else ""
    kind = "A residual" if arm.model.residual else "A plain"
    steps = f"{end.step:,} steps" + (f" of the {config.steps:,} that were asked for" if end.step < config.steps else "")
    machines = dict.fromkeys(
        f"{start.device}, {start.threads} thread{'s' * (start.threads != 1)}, {start.precision}, PyTorch {start.torch}"
        for start in starts
    )
    commits = dict.fromkeys(start.commit or "unknown" for start in starts)
    return f"""---
{license_line}library_name: resnet-lab
tags: [image-classification, resnet]
{datasets}metrics: [accuracy]
---

# {name}

{kind} network of {arm.model.depth} layers, {first.parameters[arm.name]:,} parameters{_in_the_paper(arm.model)}, trained by ResNet Lab.

| on the {scores.images:,} test images of {data} | |
|---|---|
| accuracy | {scores.accuracy:.2%} |
| error | {1 - scores.accuracy:.2%} |
| precision, recall, F1 (means over the classes) | {scores.precision:.2%}, {scores.recall:.2%}, {scores.f1:.2%} |

The weights are those of the last step of one run. The test images were measured, not learned from.
The batches were drawn from {_drawn_from(config.data)} of {data}.

## How it was trained

    {command(arm, config)}

- {steps}, batch size {config.batch}, {end.step / first.steps_per_epoch:.4g} epochs, seed {arm.seed}
- {"; then ".join(machines)}; {end.seconds / 60:.0f} minutes
- begun {first.time}, code of commit {", then ".join(commits)}
- `record.jsonl` holds what the run measured of this network, `config.json` the preprocessing and the names of the classes
"""


def _in_the_paper(model: ModelConfig) -> str:
    """Where the paper describes exactly this network, whatever the number of its classes; nothing if it does not."""
    bottleneck = model.block == "bottleneck"  # only it has a choice where to stride, and the paper has no plain one
    standard = ModelConfig.named(
        model.name, design=model.design, classes=model.classes, stride_in="1x1" if bottleneck else model.stride_in
    )
    described = model.residual or not bottleneck if model.design == "imagenet" else model.depth in PAPER_DEPTHS
    if model != standard or not described:
        return ""
    where = "section 4.2" if model.design == "cifar" else "Table 1"
    return f", as in\n{where} of He, Zhang, Ren, Sun 2015 (arXiv 1512.03385)"


def _drawn_from(data: DataConfig) -> str:
    if data.train_limit:
        of = f", without the last {data.held_out:,}," if data.held_out else ""
        return f"at most the first {data.train_limit:,} training images{of}"
    return f"all but the last {data.held_out:,} training images" if data.held_out else "all training images"


def command(arm: ArmConfig, config: RunConfig) -> str:
    """The `train` command that makes this network: every setting that differs from its default."""
    words = ["python -m resnet_demo train", f"--arch resnet{arm.model.depth}", *(["--plain"] if not arm.model.residual else [])]
    words += [f"--data {shlex.quote(config.data.source)}", f"--steps {config.steps}", f"--seed {arm.seed}"]
    if arm.model.design == "cifar" and arm.model.depth in IMAGENET_STAGES:  # 50 and 152 are depths of both designs
        words.append("--design cifar")
    words += _options(arm.model, ModelConfig.named(arm.model.name, design=arm.model.design), leave=("classes",))
    words += _options(config.data, DataConfig(), leave=("source",))
    words += _options(config.optimizer, OptimizerConfig(), leave=())
    defaults = {name: RunConfig.model_fields[name].default for name in ("batch", "precision", "compile")}
    words += _options(config, config.model_copy(update=defaults), leave=())
    return " ".join([*words, "--out DIR"])


def _options(chosen: Frozen, default: Frozen, leave: Sequence[str]) -> list[str]:
    words = []
    for name in type(chosen).model_fields:
        value = getattr(chosen, name)
        if name in leave or value == getattr(default, name):
            continue
        option = "optimizer" if name == "name" else name.replace("_", "-")
        words.append(f"--{'' if value else 'no-'}{option}" if isinstance(value, bool) else f"--{option} {value}")
    return words
