"""What a picture goes through before a network sees it. It travels with the weights, in their config.json."""

from __future__ import annotations

from typing import Literal

import numpy
import torch
from PIL import Image
from pydantic import Field
from torch import Tensor

from resnet_demo.config import Frozen
from resnet_demo.data.augment import normalize

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}


class Preprocessing(Frozen):
    """Resize the shorter side to `resize`, cut out the centred square of `image_size`, normalize."""

    image_size: int = Field(32, ge=8, le=1024)
    resize: int = Field(32, ge=8, le=2048)
    interpolation: Literal["bilinear", "bicubic", "lanczos"] = "bilinear"
    mean: tuple[float, float, float] = Field((0.485, 0.456, 0.406), strict=False)
    std: tuple[float, float, float] = Field((0.229, 0.224, 0.225), strict=False)

    def crop(self, picture: Image.Image) -> Image.Image:
        """The square that the network sees, as an RGB picture of image_size × image_size."""
        width, height = picture.size
        scale = self.resize / min(width, height)
        new = (max(round(width * scale), self.resize), max(round(height * scale), self.resize))
        resized = picture if new == picture.size else picture.resize(new, RESAMPLING[self.interpolation])
        left, top = (new[0] - self.image_size) // 2, (new[1] - self.image_size) // 2
        return resized.crop((left, top, left + self.image_size, top + self.image_size))

    def __call__(self, picture: Image.Image) -> Tensor:
        """The network's input: (1, 3, image_size, image_size) float32, normalized."""
        pixels = torch.from_numpy(numpy.array(self.crop(picture))).permute(2, 0, 1)[None]
        return normalize(pixels, self.mean, self.std)
