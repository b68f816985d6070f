"""timm's config.json: which of Table 1's networks it describes, and what its pictures go through.

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
    """timm's `pretrained_cfg`: how the weights were made and want to be fed."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, extra="ignore")

    input_size: tuple[Literal[3], int, int] = Field((3, 224, 224), strict=False)
    interpolation: Literal["bilinear", "bicubic", "lanczos"] = "bilinear"
    crop_pct: float = Field(0.875, gt=0, le=1)
    mean: RGB = Field((0.485, 0.456, 0.406), strict=False)
    std: RGB = Field((0.229, 0.224, 0.225), strict=False)
    tag: str = ""
    license: str = ""


class TimmConfig(BaseModel):
    """The part of timm's config.json that decides what the weights are."""

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
    """What timm's config.json says, in our own layout.

    Args:
        origin: the Hub id, for messages.
        content: config.json.

    Raises:
        WeightsError: a network that is not one of the paper's, or a damaged file.
    """
    try:
        config = parse(TimmConfig, content)
    except SettingError as error:
        raise WeightsError(f"config.json of {origin} cannot be understood: {error}") from error
    known = [f"resnet{depth}" for depth in IMAGENET_STAGES]
    if config.architecture not in known:
        raise WeightsError(
            f"{origin} is a {config.architecture!r}, a network that ResNet RunService does not have: choose one of {', '.join(known)}."
        )
    if config.model_args:
        raise WeightsError(
            f"{origin} changes the {config.architecture} by {sorted(config.model_args)}; only the standard one can be read."
        )
    given, size = config.pretrained_cfg, config.pretrained_cfg.input_size[1]
    listed = next((entry for entry in well_known() if entry.name == origin), None)
    try:
        return parse(ModelFolder, {
            "library": "timm",
            "architecture": ModelConfig.named(config.architecture, classes=config.num_classes),
            "classes": _classes(origin, config),
            "preprocessing": parse(Preprocessing, {
                "image_size": size, "resize": math.floor(size / given.crop_pct),
                "interpolation": given.interpolation, "mean": given.mean, "std": given.std,
            }),
            "test_accuracy": listed.test_accuracy if listed else None,
            "trained_on": "ImageNet-1k" if given.tag.endswith("in1k") else given.tag,
            "licence": given.license,
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
    """The names of ImageNet's 1,000 classes, as torchvision has them. Some names stand for two classes ("crane")."""
    from torchvision.models import ResNet50_Weights  # type: ignore[import-untyped]  # it ships no types

    return tuple(ResNet50_Weights.IMAGENET1K_V1.meta["categories"])
