"""A model card, computed from the record of a run and a measurement: what was trained, how, and how good it is."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_demo.config import ArmConfig, DataConfig, Frozen, ModelConfig, OptimizerConfig, RunConfig
from resnet_demo.evaluation.metrics import Scores
from resnet_demo.training.events import Event, RunFinished, RunStarted, RunStopped


def card(name: str, arm: ArmConfig, config: RunConfig, history: Sequence[Event], data: str, scores: Scores) -> str:
    """The text of README.md, with the front matter that the Hub reads.

    Args:
        name: of the model.
        arm: which network of the run.
        config: the run's settings.
        history: what happened in the run.
        data: name of the data that was measured on.
        scores: of this network on the test images of `data`.
    """
    starts = [event for event in history if isinstance(event, RunStarted)]
    ends = [event for event in history if isinstance(event, (RunFinished, RunStopped))]
    if not starts or not ends:
        raise ValueError("a card is written for a run that has ended")
    first, end = starts[0], ends[-1]
    epochs = end.step / first.steps_per_epoch
    minutes = f"{end.seconds / 60:.0f} minutes" + (" after the last resume" if len(starts) > 1 else "")
    held_out = f"All but the last {config.data.held_out:,}" if config.data.held_out else "All"
    return f"""---
license: apache-2.0
library_name: resnet-lab
tags: [image-classification, resnet]
datasets: [uoft-cs/cifar10]
metrics: [accuracy]
---

# {name}

{"A residual" if arm.model.residual else "A plain"} network of {arm.model.depth} layers, {first.parameters[arm.name]:,} parameters, as in
section 4.2 of He, Zhang, Ren, Sun 2015 (arXiv 1512.03385), trained by ResNet Lab.

| on the {scores.images:,} test images of {data} | |
|---|---|
| accuracy | {scores.accuracy:.2%} |
| error | {1 - scores.accuracy:.2%} |
| precision, recall, F1 (means over the classes) | {scores.precision:.2%}, {scores.recall:.2%}, {scores.f1:.2%} |

The weights are those after the last step: one model, no average, no augmentation of the test images, nothing chosen on them.
{held_out} of the training images were used.

## How it was trained

    {command(arm, config)}

- {end.step:,} steps of {config.batch} images, {epochs:.0f} epochs, seed {arm.seed}
- {first.device}, {first.threads} threads, {first.precision}, PyTorch {first.torch}, {minutes}
- begun {first.time}, code of commit {first.commit or "unknown"}
- `record.jsonl` holds every event of the run, `config.json` the preprocessing and the names of the classes
"""


def command(arm: ArmConfig, config: RunConfig) -> str:
    """The `train` command that makes this network: every setting that differs from its default."""
    words = ["python -m resnet_demo train", f"--arch resnet{arm.model.depth}", *(["--plain"] if not arm.model.residual else [])]
    words += [f"--data {config.data.source}", f"--steps {config.steps}", f"--seed {arm.seed}"]
    words += _options(arm.model, ModelConfig.named(arm.model.name), leave=("classes",))
    words += _options(config.data, DataConfig(), leave=("source",))
    words += _options(config.optimizer, OptimizerConfig(), leave=())
    for name in ("batch", "precision"):
        if getattr(config, name) != RunConfig.model_fields[name].default:
            words.append(f"--{name} {getattr(config, name)}")
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
