"""How a picture becomes the input of a network. The settings travel with the weights, in their config.json."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy
import torch
from PIL import Image
from pydantic import Field, model_validator
from torch import Tensor

from resnet_demo.data.augment import normalize
from resnet_demo.parsing import Frozen

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}

Mean = Annotated[float, Field(ge=-10, le=10)]
Deviation = Annotated[float, Field(gt=0.001, le=10)]


class Preprocessing(Frozen):
    """Resize the shorter side to `resize`, crop the centred square of `image_size`, normalize."""

    image_size: int = Field(32, ge=8, le=1024)
    resize: int = Field(32, ge=8, le=2048)
    interpolation: Literal["bilinear", "bicubic", "lanczos"] = "bilinear"
    mean: tuple[Mean, Mean, Mean] = Field((0.485, 0.456, 0.406), strict=False)
    std: tuple[Deviation, Deviation, Deviation] = Field((0.229, 0.224, 0.225), strict=False)

    @model_validator(mode="after")
    def _square_fits(self) -> Preprocessing:
        if self.image_size > self.resize:
            raise ValueError(f"image_size {self.image_size} does not fit into a picture resized to {self.resize}")
        return self

    def box(self, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """The part of a picture of that width and height that the network sees: left, top, right, bottom."""
        width, height = size
        short = min(width, height)
        sides = (self.resize * width // short, self.resize * height // short)  # torchvision's rounding
        edges = []
        for old, new in zip(size, sides, strict=True):
            start = round((new - self.image_size) / 2)
            edges.append((start * old / new, min((start + self.image_size) * old / new, float(old))))
        (left, right), (top, bottom) = edges
        return left, top, right, bottom

    def crop(self, picture: Image.Image) -> Image.Image:
        """The square that the network sees, as an RGB picture of image_size × image_size.

        Only the pixels of the square are computed: a strip of 1 × 1,000,000 pixels would not fit into memory
        when resized whole.
        """
        side = self.image_size
        if picture.size == (side, side) and self.resize == side:
            return picture.convert("RGB")
        rgb = picture if picture.mode == "RGB" else picture.convert("RGB")  # a copy of a photograph takes longer than the rest
        return rgb.resize((side, side), RESAMPLING[self.interpolation], self.box(picture.size))

    def tensor(self, square: Image.Image) -> Tensor:
        """The square as the network's input: (1, 3, image_size, image_size) float32, normalized."""
        pixels = torch.from_numpy(numpy.array(square)).permute(2, 0, 1)[None].contiguous()  # faster: LOG.md has the times
        return normalize(pixels, self.mean, self.std)

    def __call__(self, picture: Image.Image) -> Tensor:
        """Crop, then tensor: (1, 3, image_size, image_size) float32, normalized."""
        return self.tensor(self.crop(picture))
