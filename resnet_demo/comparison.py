"""The comparisons that the lab offers: their settings, and presets. No torch here.

A visitor sets `LabSettings`; `comparison` turns them into the `RunConfig` to train, and `settings_of` turns a `RunConfig` back,
so that a run can be repeated. config.py, the layer below, defines a run; this file defines which runs the lab offers.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from resnet_demo.config import ArmConfig, DataConfig, ModelConfig, OptimizerConfig, RunConfig
from resnet_demo.data.cifar10 import TEST_IMAGES, TRAINING_IMAGES
from resnet_demo.data.folders import count_folder
from resnet_demo.errors import SettingError
from resnet_demo.files import expand_home
from resnet_demo.parsing import Frozen, parse
from resnet_demo.recipes import PAPER_ITERATIONS

SHIPPED = ("bundled", "cifar10")
MOST_STEPS = 100_000
FREQUENCIES = ("evaluate_every", "log_every", "diagnose_every", "checkpoint_every")  # of reports: they change nothing learned


class LabSettings(Frozen):
    """A plain and a residual network of one depth (or of two), from the same weights, on the same batches."""

    depth: int = Field(
        32, ge=8, le=110, description="Layers with weights in each network: 6n + 2 of them, so 8, 14, 20, … 110."
    )
    other_depth: int = Field(0, ge=0, le=110, description="A second depth to compare with, 8, 14, 20, … 110; 0 for none.")
    width: int = Field(
        16, ge=4, le=64, description="Filters in the first stage; the second has twice, the third four times as many."
    )
    image_size: Literal[32, 16] = Field(
        16, description="Side of the pictures in pixels: 32 as they are, or 16, which is four times as fast."
    )
    data: str = Field(
        "bundled",
        max_length=1000,
        description="bundled (5,000 CIFAR-10 images that ship) or cifar10 (all 60,000, from the Hub).",
    )
    batch: int = Field(64, ge=4, le=512, description="Pictures in a batch; the paper uses 128.")
    steps: int = Field(
        400, ge=1, le=MOST_STEPS, description="Batches that each network learns from; the paper trains for 64,000."
    )
    epochs: float = Field(
        0.0, ge=0, le=10_000, description="The length in passes over the training images; 0: as many steps as above."
    )
    learning_rate: float = Field(
        0.1, ge=0.00001, le=10, description="The highest learning rate of the schedule; the paper's is 0.1."
    )
    schedule: Literal["linear", "paper", "cosine", "one-cycle", "triangle", "constant"] = Field(
        "linear",
        description="How the learning rate falls: in a line, ÷10 at 50 % and 75 % (the paper), cosine, one-cycle, triangle (rising over "
        "15 %), not at all.",
    )
    warmup: int = Field(
        20, ge=0, le=10_000, description="Steps at the beginning in which the learning rate rises to its highest."
    )
    optimizer: Literal["sgd", "adam"] = Field("sgd", description="SGD with momentum (the paper's), or Adam.")
    momentum: float = Field(0.9, ge=0, le=0.999, description="How much of the last direction is kept (β1 of Adam).")
    weight_decay: float = Field(
        1e-4, ge=0, le=0.1, description="How strongly weights are pulled to zero; the paper's is 0.0001."
    )
    augment: bool = Field(False, description="Shift and mirror the training pictures at random (section 4.2).")
    label_smoothing: float = Field(0.0, ge=0, le=0.5, description="How much of each label is spread over all classes.")
    batch_norm: bool = Field(True, description="Batch normalization after each convolution (section 3.4).")
    shortcut: Literal["A", "B"] = Field(
        "A", description="Where the size changes: A pads with zeros and has no parameters, B projects by a 1×1 convolution."
    )
    shortcut_scale: float = Field(
        1.0, ge=0, le=1, description="α in F(x) + αx: how much of x a shortcut adds; the paper's is 1."
    )
    seeds: int = Field(
        1, ge=1, le=5, description="Repeat with so many different initial weights and batches; curves show mean and band."
    )
    seed: int = Field(0, ge=0, le=1_000_000, description="The first seed; the same seed gives the same run.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Number format of the convolutions: fp32, bf16, or whichever this machine does faster."
    )
    skip_unreadable: bool = Field(False, description="Leave out the files of a data folder that cannot be read as pictures.")

    @model_validator(mode="after")
    def _goes_together(self) -> LabSettings:
        for name, depth in (("depth", self.depth), ("other_depth", self.other_depth)):
            if depth and (depth < 8 or (depth - 2) % 6):
                raise ValueError(f"{name} must be 6n + 2 and between 8 and 110 (8, 14, 20, … 110), not {depth}")
        if self.other_depth == self.depth:
            raise ValueError(f"other_depth must differ from depth ({self.depth}), or be 0")
        if not self.epochs and self.warmup * 2 > self.steps:  # of epochs, `steps_of` knows how many steps they are
            raise ValueError(f"warmup must be at most half of the {self.steps} steps, not {self.warmup}")
        return self

    @property
    def depths(self) -> tuple[int, ...]:
        """The depths that are compared, shallow first."""
        return tuple(sorted({self.depth, self.other_depth} - {0}))


@dataclass(frozen=True)
class Preset:
    """A comparison that the lab offers by name. Tests, or runs in LOG.md, stand behind every sentence of `look_for`.

    Args:
        title: its name.
        settings: of the run.
        look_for: what to look for in its curves.
        recorded: titles of recorded runs (runs/recorded.py) that show it, besides the one of its own title.
    """

    title: str
    settings: LabSettings
    look_for: str
    recorded: tuple[str, ...] = ()


_PRESETS = (
    Preset(
        title="One minute: depth 32", settings=LabSettings(),
        look_for="Equal depth, equal first weights, equal pictures in equal order. Look for the losses to part: the one "
        "difference is the shortcuts.",
    ),
    Preset(
        title="Degradation: 20 against 56", settings=LabSettings(depth=20, other_depth=56, steps=600, warmup=40),
        look_for="Look for plain-56: a deeper network could always do what a shallower one does, yet its training loss is far "
        "above plain-20's. It does not overfit, it fails to learn; the residual network of 56 layers passes both plain ones.",
    ),
    Preset(
        title="Very deep: 110", settings=LabSettings(depth=110, steps=600, warmup=60),
        look_for="Look for the plain network to stay where guessing is. The paper's Figure 6 leaves plain-110 out, because more "
        "than 60 % of its answers are wrong.",
    ),
    Preset(
        title="Without batch norm", settings=LabSettings(depth=20, batch_norm=False, learning_rate=0.01),
        look_for="Shortcuts alone are not enough. Each block adds to what came in, so without normalization the responses grow "
        "from block to block (the last plot), and here the plain network learns better.",
    ),
    Preset(
        title="The paper's recipe",
        settings=LabSettings(
            depth=20, image_size=32, data="cifar10", batch=128, steps=PAPER_ITERATIONS, schedule="paper", warmup=0, augment=True,
        ),
        look_for="Section 4.2's training: 64,000 iterations of 128 images, learning rate 0.1, divided by 10 at half and at three "
        "quarters. The paper's ResNet-20 ends with 8.75 % of the test images wrong.",
        recorded=("Full length: 20 layers", "Full length: 32 layers", "Full length: 56 layers"),
    ),
)  # fmt: skip

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.title: preset for preset in _PRESETS})
"""The presets by title, in the order of the page; the first has the default settings."""


def allowed_data() -> tuple[str, ...]:
    """The data that a visitor may train on: the bundled part, CIFAR-10, and the folders that RESNET_DEMO_DATA names."""
    folders = os.environ.get("RESNET_DEMO_DATA", "").split(os.pathsep)
    return (*SHIPPED, *(folder for folder in folders if folder))


def from_outside(values: Mapping[str, Any] | str, allowed: Collection[str] | None = None) -> LabSettings:
    """Check the settings that a visitor sent, and that they train on nothing but allowed data (`allowed_data`).

    Raises:
        SettingError: names the setting and its range.
    """
    settings = parse(LabSettings, values)
    allowed = allowed_data() if allowed is None else allowed
    if settings.data not in allowed:
        raise SettingError(f"data: must be one of {', '.join(allowed)} (given: {settings.data[:60]!r}).")
    steps_of(settings)
    return settings


def steps_of(settings: LabSettings) -> int:
    """The number of batches that each network learns from: `epochs` converted for this data and batch, else `steps`.

    Raises:
        SettingError: the epochs are more steps than may be trained, or too few for the warm-up.
        DataError: the folder of data is not a data set.
    """
    if not settings.epochs:
        return settings.steps
    steps = max(round(settings.epochs * steps_per_epoch(settings)), 1)
    length = f"{settings.epochs:g} epochs in batches of {settings.batch} are {steps:,} steps"
    if steps > MOST_STEPS:
        raise SettingError(f"epochs: {length}; at most {MOST_STEPS:,} can be trained.")
    if settings.warmup * 2 > steps:
        raise SettingError(f"warmup: {length}, of which it must be at most half, not {settings.warmup}.")
    return steps


def training_images(settings: LabSettings) -> int:
    """The number of images in one epoch; a folder is listed, not read. Raises DataError like `steps_of`."""
    images = TRAINING_IMAGES.get(settings.data)
    return images if images is not None else count_folder(expand_home(settings.data))[1]


def steps_per_epoch(settings: LabSettings) -> int:
    """Whole batches in one pass over the training images; the rest is left out, as data/batches.py does."""
    images = training_images(settings)
    return images // min(settings.batch, images)


def comparison(settings: LabSettings, title: str = "", classes: int = 0) -> RunConfig:
    """The run that makes the comparison of `settings`: an arm for each seed, each depth, without and with shortcuts.

    Points, measurements and checkpoints are frequent enough to keep the page lively and cost little: measuring takes about
    a fifth of the time that training takes, the rest a few hundredths.

    Args:
        settings: of the comparison.
        title: of the run; by default the preset's, or the networks.
        classes: of the data; by default they are looked up.

    Raises:
        SettingError: the epochs are too many or too few (`steps_of`).
        DataError: the folder of data is not a data set.
    """
    steps = steps_of(settings)
    images = steps * settings.batch  # a forward pass costs a third of a step
    measurements = min(max(images * 3 // (5 * TEST_IMAGES.get(settings.data, 1_000)), 1), 40)
    return RunConfig(
        title=title or default_title(settings),
        arms=_arms(settings, classes or _classes(settings.data)),
        data=DataConfig(
            source=settings.data, image_size=settings.image_size, augment=settings.augment, padding="mean",
            skip_unreadable=settings.skip_unreadable,
        ),
        optimizer=OptimizerConfig(
            name=settings.optimizer, learning_rate=settings.learning_rate, momentum=settings.momentum,
            weight_decay=settings.weight_decay, schedule=settings.schedule, warmup=settings.warmup / steps,
            label_smoothing=settings.label_smoothing,
        ),
        batch=settings.batch, steps=steps, precision=settings.precision,
        log_every=min(max(steps // 240, 1), 25), evaluate_every=-(-steps // measurements),
        diagnose_every=min(max(steps // 24, 1), 250), checkpoint_every=min(max(steps // 10, 10), 500),
    )  # fmt: skip


def _arms(settings: LabSettings, classes: int) -> tuple[ArmConfig, ...]:
    """The networks that are compared; those of one seed start from the same weights."""
    return tuple(
        ArmConfig(
            name=f"{'residual' if residual else 'plain'}{depth}-s{seed}",
            model=parse(ModelConfig, {
                "depth": depth, "residual": residual, "shortcut": settings.shortcut, "width": settings.width,
                "batch_norm": settings.batch_norm, "classes": classes, "shortcut_scale": settings.shortcut_scale if residual else 1.0,
            }),
            seed=seed,
        )
        for seed in range(settings.seed, settings.seed + settings.seeds)
        for depth in settings.depths
        for residual in (False, True)
    )  # fmt: skip


def settings_of(config: RunConfig) -> LabSettings | None:
    """The settings of which a run is the comparison, or None: not every run comes from the lab.

    The frequencies of points and measurements do not count: they change nothing that a network learns. No data are read.
    """
    first, optimizer = config.arms[0], config.optimizer
    depths = sorted({arm.model.depth for arm in config.arms})
    seeds = sorted({arm.seed for arm in config.arms})
    if optimizer.name == "muon":
        return None  # `train` alone offers it
    try:
        settings = LabSettings(
            depth=depths[0], other_depth=depths[-1] if len(depths) > 1 else 0, width=first.model.width,
            image_size=16 if config.data.image_size == 16 else 32, data=config.data.source, batch=config.batch,
            steps=config.steps, learning_rate=optimizer.learning_rate, schedule=optimizer.schedule,
            warmup=round(optimizer.warmup * config.steps), optimizer=optimizer.name, momentum=optimizer.momentum,
            weight_decay=optimizer.weight_decay, augment=config.data.augment, label_smoothing=optimizer.label_smoothing,
            batch_norm=first.model.batch_norm, shortcut=first.model.shortcut, seeds=len(seeds), seed=seeds[0],
            shortcut_scale=config.arms[-1].model.shortcut_scale, precision=config.precision, skip_unreadable=config.data.skip_unreadable,
        )  # fmt: skip
        expected = comparison(settings, config.title, first.model.classes)
        expected = expected.model_copy(update={name: getattr(config, name) for name in FREQUENCIES})
        return settings if expected == config else None
    except (ValidationError, SettingError):
        return None


def default_title(settings: LabSettings) -> str:
    """The preset's name, or the networks': 'plain-32 and residual-32'."""
    for preset in PRESETS.values():
        if settings.model_copy(update={"seed": preset.settings.seed}) == preset.settings:
            return preset.title
    scale = "" if settings.shortcut_scale == 1 else f", α = {settings.shortcut_scale:g}"
    return f"Plain and residual, depth {' and '.join(map(str, settings.depths))}{scale}"


def _classes(data: str) -> int:
    """The number of classes; no picture is read."""
    return 10 if data in SHIPPED else len(count_folder(expand_home(data))[0])
