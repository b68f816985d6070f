"""A model card, computed from the record of a run and a measurement: what was trained, how, and how good it is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from resnet_demo.config import IMAGENET_STAGES, ArmConfig, DataConfig, ModelConfig, OptimizerConfig, RunConfig
from resnet_demo.errors import RunError
from resnet_demo.parsing import Frozen
from resnet_demo.recipes import PAPER_BATCH, PAPER_ITERATIONS, RECIPES, share_of_paper
from resnet_demo.training.events import Event, RunFinished, RunStarted, RunStopped
from resnet_demo.words import percent

if TYPE_CHECKING:
    from resnet_demo.evaluation.metrics import Scores

PAPER_DEPTHS = (20, 32, 44, 56, 110, 1202)
"""Layers of the networks of section 4.2; 8 and 14 are of its form, but not in it."""

DIFFERENCES = "- What differs from section 4.2: "


def card(
    name: str, arm: ArmConfig, config: RunConfig, history: Sequence[Event], data: str, scores: Scores, licence: str = "",
    *, half: bool = False,
) -> str:  # fmt: skip
    """The text of README.md, with the front matter that the Hub reads.

    Args:
        name: of the model.
        arm: which network of the run.
        config: the run's settings.
        history: what happened in the run.
        data: name of the data that the run drew from, and that was measured on.
        scores: of this network on the test images of `data`.
        licence: under which its maker gives the weights away, as the Hub names it; empty for none.
        half: whether the weights were rounded to float16 before they were measured.

    Raises:
        RunError: the run has not ended.
    """
    starts = [event for event in history if isinstance(event, RunStarted)]
    ends = [event for event in history if isinstance(event, (RunFinished, RunStopped))]
    if not starts or not ends:
        raise RunError("A model card describes a run that has finished or was stopped: resume this one first.")
    kind = "A residual" if arm.model.residual else "A plain"
    parameters = f"{starts[0].parameters[arm.name]:,} parameters"
    rounded = ", rounded to float16 before they were measured" if half else ""
    return f"""{_front_matter(config.data, licence)}
# {name}

{kind} network of {arm.model.depth} layers, {parameters}{_in_the_paper(arm.model)}, trained by ResNet Lab.

| on the {scores.images:,} test images of {data} | |
|---|---|
| accuracy | {scores.accuracy:.2%} |
| error | {1 - scores.accuracy:.2%} |
| precision, recall, F1 (means over the classes) | {scores.precision:.2%}, {scores.recall:.2%}, {scores.f1:.2%} |

The weights are those of the last step of one run{rounded}. The test images were measured, not learned from.
The batches were drawn from {_drawn_from(config.data)} of {data}.

## How it was trained

    {command(arm, config)}

{_training(arm, config, starts, ends[-1], data)}
- `record.jsonl` holds what the run measured of this network, `config.json` the preprocessing and the names of the classes
"""


def _front_matter(data: DataConfig, licence: str) -> str:
    """The metadata that the Hub reads."""
    datasets = "datasets: [uoft-cs/cifar10]\n" if data.source in ("cifar10", "bundled") else ""
    license_line = f"license: {licence}\n" if licence else ""
    return f"""---
{license_line}library_name: resnet-lab
tags: [image-classification, resnet]
{datasets}metrics: [accuracy]
---
"""


def _training(arm: ArmConfig, config: RunConfig, starts: Sequence[RunStarted], end: RunFinished | RunStopped, data: str) -> str:
    """A list: length, comparison with the paper, machines, commits."""
    steps = f"{end.step:,} steps" + (f" of the {config.steps:,} that were asked for" if end.step < config.steps else "")
    machines = dict.fromkeys(
        f"{start.device}, {start.threads} thread{'s' * (start.threads != 1)}, {start.precision}, PyTorch {start.torch}"
        for start in starts
    )
    commits = dict.fromkeys(start.commit or "unknown" for start in starts)
    share = percent(share_of_paper(end.step, config.batch))
    differences = "; ".join(differences_from_paper(arm, config, end.step, data)) or "nothing"
    return f"""\
- {steps}, batch size {config.batch}, {end.step / starts[0].steps_per_epoch:.4g} epochs, seed {arm.seed}
- {share} of the paper's {PAPER_ITERATIONS:,} iterations of {PAPER_BATCH} images
{DIFFERENCES}{differences}
- {"; then ".join(machines)}; {end.seconds / 60:.0f} minutes
- begun {starts[0].time}, code of commit {", then ".join(commits)}"""


def differences_from_paper(arm: ArmConfig, config: RunConfig, steps: int, data: str) -> list[str]:
    """What differs from the training of section 4.2, a phrase for each setting.

    Args:
        arm: which network of the run.
        config: the run's settings.
        steps: the steps that the run trained.
        data: name of the data that the run drew from.
    """
    batch = [] if config.batch == PAPER_BATCH else [f"batches of {config.batch} images, not {PAPER_BATCH}"]
    length = [] if steps == PAPER_ITERATIONS else [f"{steps:,} iterations, not {PAPER_ITERATIONS:,}"]
    low_start = 400 if arm.model.depth == 110 and arm.model.design == "cifar" else 0  # "until the training error is below 80%"
    return [
        *length,
        *batch,
        *_data_differences(config.data, data),
        *_image_differences(config.data),
        *_optimizer_differences(config.optimizer, low_start),
    ]


def differences_on(text: str) -> str:
    """What a card says that differs from section 4.2; empty where it says nothing about that."""
    return next((line.removeprefix(DIFFERENCES) for line in text.splitlines() if line.startswith(DIFFERENCES)), "")


def _data_differences(config: DataConfig, data: str) -> Iterator[str]:
    held_out = RECIPES["paper"].data["held_out"]
    if config.source != "cifar10":
        yield "only the bundled part of CIFAR-10" if config.source == "bundled" else f"the images of {data}"
    if config.train_limit:
        yield f"at most {config.train_limit:,} training images"
    if config.held_out != held_out:
        yield f"{format(config.held_out, ',') if config.held_out else 'no'} held-out images, not {held_out:,}"


def _image_differences(config: DataConfig) -> Iterator[str]:
    if config.image_size != 32:
        yield f"images of {config.image_size}×{config.image_size} pixels, not 32×32"
    if config.half_size:
        yield f"half the side in {percent(config.half_size)} of the steps"
    if config.three_quarter_size:
        yield f"three quarters of the side in {percent(config.three_quarter_size)} of the steps"
    if not config.augment:
        yield "no random crops and mirror images"
        return
    if config.padding != "mean":
        yield "crops of pictures padded by reflection, not with zeros"
    if config.mirror != "random":
        yield "mirror images in alternating epochs, not at random"


def _optimizer_differences(config: OptimizerConfig, low_start: int) -> Iterator[str]:
    if config.name != "sgd":
        yield f"{config.name.capitalize()}, not SGD"
    is_muon = config.name == "muon"
    if is_muon:
        yield f"convolutions at {config.filter_rate:g} of the learning rate"
    if config.learning_rate != 0.1:
        yield f"learning rate {config.learning_rate:g}, not 0.1"
    if config.schedule != "paper":
        yield f"learning rate schedule {config.schedule}, not divided by 10 at one half and three quarters"
    if config.warmup:
        yield f"a warm-up over {percent(config.warmup)} of the steps"
    if config.low_start != low_start:
        yield f"{config.low_start or 'no'} steps at a tenth of the learning rate first, not {low_start or 'none'}"
    if config.momentum != 0.9:
        yield f"momentum {config.momentum:g}, not 0.9"
    if config.nesterov or is_muon:
        yield "Nesterov's momentum"
    if config.weight_decay != 1e-4:
        yield f"weight decay {config.weight_decay:g}, not 0.0001"
    if is_muon:
        yield "no weight decay on convolutions"
    if config.decay != "all":
        yield f"weight decay on the weights of {'' if is_muon else 'convolutions and '}the classifier only"
    if config.label_smoothing:
        yield f"label smoothing {config.label_smoothing:g}"


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


def _options(settings: Frozen, default: Frozen, leave: Sequence[str]) -> list[str]:
    words = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name in leave or value == getattr(default, name):
            continue
        option = "optimizer" if name == "name" else name.replace("_", "-")
        words.append(f"--{'' if value else 'no-'}{option}" if isinstance(value, bool) else f"--{option} {value}")
    return words
