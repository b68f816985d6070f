"""timm's config.json: which of Table 1's networks it describes, and its preprocessing.

timm's resnet18, 34, 50, 101 and 152 have torchvision's parameter names and stride in the bottleneck's 3×3.
"""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from resnet_demo.config import IMAGENET_STAGES, ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import SettingError, WeightsError
from resnet_demo.parsing import parse
from resnet_demo.zoo.catalogue import well_known
from resnet_demo.zoo.folder import ModelFolder

RGB = tuple[float, float, float]
IMAGENET_CLASSES = 1000


class Pretrained(BaseModel):
    """timm's `pretrained_cfg`: the preprocessing and the origin of the weights."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, extra="ignore")

    input_size: tuple[Literal[3], int, int] = Field((3, 224, 224), strict=False)
    interpolation: Literal["bilinear", "bicubic", "lanczos"] = "bilinear"
    crop_pct: float = Field(0.875, gt=0, le=1)
    mean: RGB = Field((0.485, 0.456, 0.406), strict=False)
    std: RGB = Field((0.229, 0.224, 0.225), strict=False)
    tag: str = ""
    license: str = ""


class TimmConfig(BaseModel):
    """The part of timm's config.json that describes the weights."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, extra="ignore")

    architecture: str
    num_classes: int = IMAGENET_CLASSES
    label_names: tuple[str, ...] | None = Field(None, strict=False)
    model_args: dict[str, Any] | None = None
    pretrained_cfg: Pretrained = Pretrained()


def is_timm(content: Any) -> bool:
    """Whether a config.json looks like one of timm's."""
    return isinstance(content, dict) and isinstance(content.get("architecture"), str)


def read(origin: str, content: dict[str, Any]) -> ModelFolder:
    """The content of timm's config.json in our own layout.

    Args:
        origin: the Hub id, for messages.
        content: config.json.

    Raises:
        WeightsError: the network is not one of the paper's, or the file is damaged.
    """
    try:
        config = parse(TimmConfig, content)
    except SettingError as error:
        raise WeightsError(f"config.json of {origin} cannot be understood: {error}") from error
    names = [f"resnet{depth}" for depth in IMAGENET_STAGES]
    if config.architecture not in names:
        raise WeightsError(
            f"{origin} is a {config.architecture!r}, a network that ResNet Lab does not have: choose one of {', '.join(names)}."
        )
    if config.model_args:
        raise WeightsError(
            f"{origin} changes the {config.architecture} by {sorted(config.model_args)}; only the standard one can be read."
        )
    pretrained, size = config.pretrained_cfg, config.pretrained_cfg.input_size[1]
    catalogue_entry = next((entry for entry in well_known() if entry.name == origin), None)
    try:
        return parse(ModelFolder, {
            "library": "timm",
            "architecture": ModelConfig.named(config.architecture, classes=config.num_classes),
            "classes": _classes(origin, config),
            "preprocessing": parse(Preprocessing, {
                "image_size": size, "resize": math.floor(size / pretrained.crop_pct),
                "interpolation": pretrained.interpolation, "mean": pretrained.mean, "std": pretrained.std,
            }),
            "test_accuracy": catalogue_entry.test_accuracy if catalogue_entry else None,
            "trained_on": "ImageNet-1k" if pretrained.tag.endswith("in1k") else pretrained.tag,
            "licence": pretrained.license,
        })  # fmt: skip
    except SettingError as error:
        raise WeightsError(f"config.json of {origin} does not describe a usable model: {error}") from error


def _classes(origin: str, config: TimmConfig) -> tuple[str, ...]:
    if config.label_names is not None:
        if len(config.label_names) != config.num_classes:
            raise WeightsError(f"{origin} names {len(config.label_names)} classes for {config.num_classes} outputs.")
        return config.label_names
    if config.num_classes == IMAGENET_CLASSES:
        return imagenet_classes()
    return tuple(f"class {number}" for number in range(config.num_classes))


def imagenet_classes() -> tuple[str, ...]:
    """The names of ImageNet's 1,000 classes, as in torchvision. Some names stand for two classes ("crane")."""
    from torchvision.models import ResNet50_Weights  # type: ignore[import-untyped]  # it ships no types

    return tuple(ResNet50_Weights.IMAGENET1K_V1.meta["categories"])
