"""Section 4.2's augmentation on a whole batch at once: crops of the padded picture, and mirror images."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

PADDING = 4  # pixels on each side, section 4.2


def pad(images: Tensor, mode: Literal["mean", "reflect"], pixels: int = PADDING) -> Tensor:
    """(N, 3, H, W) bytes -> (N, 3, H + 2 * pixels, W + 2 * pixels) bytes.

    `mean` pads with the data set's mean colour, which is the paper's padding with zeros after it subtracts the mean.
    `reflect` mirrors the edge of the picture.
    """
    if mode == "reflect":
        return F.pad(images, (pixels,) * 4, mode="reflect")
    count, _, height, width = images.shape
    colour = images.float().mean((0, 2, 3)).round().to(images.dtype)
    padded = colour.view(1, -1, 1, 1).repeat(count, 1, height + 2 * pixels, width + 2 * pixels)
    padded[:, :, pixels:-pixels, pixels:-pixels] = images
    return padded


def crops(padded: Tensor, indices: Tensor, size: int, generator: torch.Generator, mirrored: Tensor | None = None) -> Tensor:
    """A random window of each selected picture, mirrored or not: (n, 3, size, size) bytes.

    Args:
        padded: all pictures, padded: (N, 3, H, W).
        indices: of the selected pictures, (n,) int64.
        size: side of the window.
        generator: source of the random numbers.
        mirrored: which of the selected pictures to mirror, (n,) bool; by default each with probability one half.
    """
    count, choices = len(indices), padded.shape[-1] - size + 1
    top, left = torch.randint(choices, (2, count), generator=generator).to(padded.device)
    if mirrored is None:
        mirrored = torch.rand(count, generator=generator) < 0.5
    windows = padded.unfold(2, size, 1).unfold(3, size, 1)  # a view: (N, 3, choices, choices, size, size)
    batch = windows[indices, :, top, left]
    return torch.where(mirrored.to(padded.device).view(-1, 1, 1, 1), batch.flip(-1), batch)


def resize(images: Tensor, side: int) -> Tensor:
    """(N, 3, H, H) -> (N, 3, side, side), bilinear with antialiasing; pictures of that side are returned unchanged."""
    if images.shape[-1] == side:
        return images
    return F.interpolate(images, size=(side, side), mode="bilinear", antialias=True)


def normalize(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Bytes to values of mean 0 and standard deviation 1: (N, 3, H, W) float32, channels last in memory."""
    shift = torch.tensor(mean, device=images.device).view(1, 3, 1, 1)
    scale = 1 / (255 * torch.tensor(std, device=images.device).view(1, 3, 1, 1))
    return (images.to(torch.float32, memory_format=torch.channels_last) - 255 * shift) * scale
