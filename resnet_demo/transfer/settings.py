"""What can be set about a transfer, presets, and the run that the settings describe. No torch here.

A visitor sets `TransferSettings`; `transfer_run` makes the `RunConfig` of them, which trains like any other.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field, field_validator

from resnet_demo.config import ArmConfig, DataConfig, ModelConfig, OptimizerConfig, RunConfig, TransferConfig
from resnet_demo.errors import ResNetDemoError, SettingError
from resnet_demo.parsing import Frozen, parse
from resnet_demo.transfer.split import SHIPPED, class_counts, held_out_counts
from resnet_demo.zoo import catalogue

WIDEST, LARGEST_HEAD = 2048, 20_000_000  # features of ResNet-50; weights, which take 16 bytes each while they learn
SIDES = (16, 32, 64, 128, 224)
TRANSFER, PROBE, SCRATCH = "transfer", "linear-probe", "scratch"
"""Names of the arms of a run: the network that is transferred, and the trained baselines."""


class TransferSettings(Frozen):
    """A trained base, pictures of other classes, and how a network of the one learns the others."""

    base: str = Field(
        "resnet20-cifar10", min_length=1, max_length=1000, description="The trained network to start from: a name, or a Hub id."
    )
    data: str = Field(
        "bundled",
        max_length=1000,
        description="bundled (5,000 CIFAR-10 images that ship), cifar10 (all 60,000, from the Hub), or a folder with one folder a class.",
    )
    train_limit: int = Field(
        0, ge=0, le=1_000_000, description="Learn from N pictures only, equally many of each class; 0: all."
    )
    test_limit: int = Field(0, ge=0, le=1_000_000, description="Test on N pictures only, equally many of each class; 0: all.")
    validation: float = Field(0.1, ge=0, le=0.5, description="Share of the training pictures that is set aside and measured.")
    image_size: Literal[0, 16, 32, 64, 128, 224] = Field(
        0, description="Side of the pictures in pixels; 0: what the base was trained on. Half the side is four times as fast."
    )
    normalization: Literal["weights", "unit"] = Field(
        "weights",
        description="Pixels as the base's weights expect them (mean and deviation), or unit: plain values from 0 to 1.",
    )
    hidden: str = Field(
        "", max_length=40, description="Sizes of dense layers before the last one, such as 256 or 512, 128; empty for none."
    )
    dropout: float = Field(0.0, ge=0, le=0.95, description="Share of the last layer's inputs that each step sets to zero.")
    epochs: int = Field(5, ge=1, le=1_000, description="Passes over the training pictures with the base frozen.")
    batch: int = Field(32, ge=2, le=512, description="Pictures in a batch.")
    optimizer: Literal["adam", "sgd"] = Field("adam", description="Adam, or SGD with momentum 0.9.")
    learning_rate: float = Field(0.001, ge=0.000001, le=1, description="The highest learning rate of the new head.")
    schedule: Literal["constant", "linear", "cosine", "one-cycle", "triangle", "paper"] = Field(
        "constant", description="How the learning rate changes within each phase."
    )
    weight_decay: float = Field(0.0, ge=0, le=0.1, description="How strongly weights are pulled to zero.")
    label_smoothing: float = Field(0.0, ge=0, le=0.5, description="How much of each label is spread over all classes.")
    views: int = Field(
        0, ge=0, le=16, description="Shifted and mirrored copies of each training picture to learn from; 0: the picture itself."
    )
    unfreeze: int = Field(
        0, ge=0, le=4, description="Last stages of the base that a second phase trains too; 0: no second phase."
    )
    fine_epochs: int = Field(2, ge=1, le=1_000, description="Passes over the training pictures in the second phase.")
    fine_learning_rate: float = Field(0.0001, ge=0.000001, le=1, description="The highest learning rate of the second phase.")
    train_batch_norm: bool = Field(
        False,
        description="Let frozen batch normalization use each batch's statistics and change its own: shows why it should not.",
    )
    cache: bool = Field(
        True, description="Compute the features of the frozen base once and keep them; without, in every epoch anew."
    )
    baselines: bool = Field(True, description="Compare with a linear probe and the nearest class mean on the cached features.")
    scratch: bool = Field(
        False, description="Compare with the same network trained from scratch, for as many steps on the same batches."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Number format of the convolutions: fp32, bf16, or whichever this machine does faster."
    )
    skip_unreadable: bool = Field(False, description="Leave out the files of a folder that cannot be read as pictures.")
    seed: int = Field(0, ge=0, le=1_000_000, description="Of the new weights and the order of the pictures.")

    @field_validator("hidden")
    @classmethod
    def _hidden_is_a_list(cls, value: str) -> str:
        if not re.fullmatch(r"\s*(\d{1,4}\s*(,\s*\d{1,4}\s*){0,3})?", value):
            raise ValueError("must be up to four numbers with commas between them, such as 512, 128, or empty")
        return value

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """The sizes of the dense layers as numbers."""
        return tuple(int(size) for size in re.findall(r"\d+", self.hidden))


@dataclass(frozen=True)
class TransferPreset:
    """A transfer with a name. Tests, or runs in LOG.md, stand behind every sentence of `look_for`."""

    title: str
    settings: TransferSettings
    look_for: str


_EXERCISE = TransferSettings(base="timm/resnet50.tv_in1k", data="cifar10", image_size=224, hidden="256")
_PRESETS = (
    TransferPreset(
        title="Ten classes, offline", settings=TransferSettings(train_limit=1000),
        look_for="The base was trained on these very classes, so a new head finds them in seconds: this shows how transfer works, "
        "not what it gains. For that, take pictures of your own.",
    ),
    TransferPreset(
        title="Your own pictures",
        settings=TransferSettings(epochs=100, batch=16, learning_rate=0.01, validation=0.2),
        look_for="A few pictures a class are enough, because the base already has features. Switch on 'From scratch, too' to compare: "
        "on ten CIFAR-10 pictures a class, the same network from scratch learned 99 % of them by heart and had 53 % of new ones "
        "right, the transfer 96 % (three classes that its base knew; means of 5 seeds).",
    ),
    TransferPreset(
        title="The course exercise", settings=_EXERCISE,
        look_for="ResNet-50 from ImageNet, frozen; CIFAR-10 at 224 × 224; a new head of dense layers, Adam at 0.001, batches of 32, "
        "5 epochs. Each picture passes through the base once.",
    ),
    TransferPreset(
        title="The exercise with plain [0, 1] pixels", settings=_EXERCISE.model_copy(update={"normalization": "unit"}),
        look_for="The same with pixels from 0 to 1, not normalized as the weights expect. Compare the test accuracies.",
    ),
    TransferPreset(
        title="The exercise, improved",
        settings=_EXERCISE.model_copy(update={
            "epochs": 10, "views": 3, "schedule": "cosine", "dropout": 0.2, "unfreeze": 1, "fine_epochs": 3,
        }),
        look_for="More epochs, shifted and mirrored pictures, a falling learning rate, then the last stage unfrozen at a tenth of it.",
    ),
    TransferPreset(
        title="The exercise without a GPU",
        settings=_EXERCISE.model_copy(update={"data": "bundled", "train_limit": 1000, "test_limit": 500, "image_size": 128}),
        look_for="A small part of the pictures at 128 × 128: a third of the work a picture, and a few minutes on two cores.",
    ),
)  # fmt: skip

TRANSFER_PRESETS: Mapping[str, TransferPreset] = MappingProxyType({preset.title: preset for preset in _PRESETS})
"""The presets by title, in the order of the page; the first is small and works offline."""


def from_outside(values: Mapping[str, Any] | str, allowed: Collection[str] = SHIPPED) -> TransferSettings:
    """Check the settings that a visitor sent: they name data of `allowed`, and a base of the catalogue or the Hub, not a path.

    Raises:
        SettingError: names the setting and its range.
        WeightsError: there is no such base.
    """
    settings = parse(TransferSettings, values)
    if settings.data not in allowed:
        raise SettingError(f"data: must be one of {', '.join(allowed)} (given: {settings.data[:60]!r}).")
    sizes = (WIDEST, *settings.hidden_sizes)
    if sum(before * after for before, after in pairwise(sizes)) > LARGEST_HEAD:
        raise SettingError(f"hidden: the layers have too many weights for a shared machine (given: {settings.hidden!r}).")
    catalogue.locate(settings.base, allow_paths=False)
    return settings


def transfer_run(settings: TransferSettings, title: str = "", *, allow_paths: bool = False) -> RunConfig:
    """The run that transfers the base of `settings` to their data. Lists a folder of data, and reads no picture.

    Args:
        settings: of the transfer.
        title: of the run; by default the preset's, or base and data.
        allow_paths: whether the base may be a path; never for text from a page.

    Raises:
        WeightsError: there is no such base.
        HubError: the base's config.json cannot be fetched.
        DataError: the folder of data is not a data set.
        SettingError: the settings do not go together.
    """
    base, side = catalogue.describe(settings.base, allow_paths=allow_paths)
    if settings.unfreeze > len(base.stages):
        raise SettingError(f"unfreeze: {base.name} has {len(base.stages)} stages (given: {settings.unfreeze}).")
    counts = class_counts(settings.data, settings.train_limit)
    images = sum(counts) - sum(held_out_counts(counts, settings.validation))
    per_epoch = images // min(settings.batch, images)
    head_steps, fine_steps = settings.epochs * per_epoch, (settings.fine_epochs * per_epoch if settings.unfreeze else 0)
    steps = (head_steps + fine_steps) * (2 if settings.scratch else 1)
    return parse(RunConfig, {
        "title": title or default_title(settings),
        "arms": _arms(settings, base, len(counts)),
        "data": parse(DataConfig, {
            "source": settings.data, "image_size": _side(settings, base, side), "augment": bool(settings.views),
            "train_limit": settings.train_limit, "test_limit": settings.test_limit,
            "skip_unreadable": settings.skip_unreadable,
        }),
        "optimizer": OptimizerConfig(
            name=settings.optimizer, learning_rate=settings.learning_rate, weight_decay=settings.weight_decay,
            schedule=settings.schedule, label_smoothing=settings.label_smoothing,
        ),
        "transfer": parse(TransferConfig, {
            "base": base_name(settings.base, allow_paths=allow_paths), "normalization": settings.normalization,
            "validation": settings.validation,
            "views": settings.views, "cache_features": settings.cache and not settings.train_batch_norm,
            "train_batch_norm": settings.train_batch_norm, "baselines": settings.baselines, "unfreeze": settings.unfreeze,
            "head_steps": head_steps, "fine_steps": fine_steps, "fine_learning_rate": settings.fine_learning_rate,
        }),
        "batch": settings.batch, "steps": steps, "precision": settings.precision,
        "log_every": min(max(steps // 240, 1), 25), "evaluate_every": per_epoch * -(-settings.epochs // 20),
        "checkpoint_every": min(max(steps // 10, 10), 100),
    })  # fmt: skip


def base_name(source: str, *, allow_paths: bool) -> str:
    """The base as a run keeps it: a name of the catalogue, a Hub id, or an absolute path. Raises WeightsError like `transfer_run`."""
    place = catalogue.locate(source, allow_paths=allow_paths)
    return source if catalogue.find(source) is not None else str(place)


def _arms(settings: TransferSettings, base: ModelConfig, classes: int) -> tuple[ArmConfig, ...]:
    head = {"classes": classes, "hidden": settings.hidden_sizes, "dropout": settings.dropout}
    network = parse(ModelConfig, base.model_dump() | head)
    arms = [ArmConfig(name=TRANSFER, model=network, seed=settings.seed)]
    is_probe = not (network.hidden or network.dropout or settings.unfreeze)  # the transferred network itself
    if settings.baselines and settings.cache and not settings.train_batch_norm and not is_probe:
        probe = network.model_copy(update={"hidden": (), "dropout": 0.0})
        arms.append(ArmConfig(name=PROBE, model=probe, seed=settings.seed))
    if settings.scratch:
        arms.append(ArmConfig(name=SCRATCH, model=network, seed=settings.seed))
    return tuple(arms)


def _side(settings: TransferSettings, base: ModelConfig, side: int) -> int:
    """The side of the pictures: of the settings, else what the base asks, else what its design is made for."""
    if settings.image_size:
        return settings.image_size
    return side if side in SIDES else 224 if base.design == "imagenet" else 32


def settings_of(config: RunConfig) -> TransferSettings | None:
    """The settings of which a run is the transfer, or None: it is none, or its data or base are no longer what they were."""
    transfer, arm, data, optimizer = config.transfer, config.arms[0], config.data, config.optimizer
    if transfer is None:
        return None
    names = {arm.name for arm in config.arms}
    try:
        counts = class_counts(data.source, data.train_limit)
        images = sum(counts) - sum(held_out_counts(counts, transfer.validation))
        per_epoch = max(images // min(config.batch, images), 1)
        settings = parse(
            TransferSettings,
            {
                "base": transfer.base,
                "data": data.source,
                "train_limit": data.train_limit,
                "test_limit": data.test_limit,
                "validation": transfer.validation,
                "image_size": data.image_size,
                "normalization": transfer.normalization,
                "hidden": ", ".join(map(str, arm.model.hidden)),
                "dropout": arm.model.dropout,
                "epochs": transfer.head_steps // per_epoch,
                "batch": config.batch,
                "optimizer": optimizer.name,
                "learning_rate": optimizer.learning_rate,
                "schedule": optimizer.schedule,
                "weight_decay": optimizer.weight_decay,
                "label_smoothing": optimizer.label_smoothing,
                "views": transfer.views,
                "unfreeze": transfer.unfreeze,
                "fine_epochs": max(transfer.fine_steps // per_epoch, 1),
                "fine_learning_rate": transfer.fine_learning_rate,
                "train_batch_norm": transfer.train_batch_norm,
                "cache": transfer.cache_features or transfer.train_batch_norm,
                "baselines": transfer.baselines,
                "scratch": SCRATCH in names,
                "precision": config.precision,
                "skip_unreadable": data.skip_unreadable,
                "seed": arm.seed,
            },
        )
        return settings if transfer_run(settings, config.title, allow_paths=True) == config else None
    except ResNetDemoError:
        return None


def default_title(settings: TransferSettings) -> str:
    """The preset's name, or base and data: 'resnet20-cifar10 to leaves'."""
    for preset in TRANSFER_PRESETS.values():
        if settings.model_copy(update={"seed": preset.settings.seed}) == preset.settings:
            return preset.title
    data = settings.data if settings.data in SHIPPED else Path(settings.data).name
    return f"{settings.base.rpartition('/')[2]} to {data}"[:120]
