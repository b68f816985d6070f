"""Section 4.2's networks as other projects write them: their names, their shortcuts, their own forward pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Around(nn.Module):
    """Option A: every second position, and as many zeros before the old channels as after them."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.margin = (channels_out - channels_in) // 2

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.margin, self.margin))


class Doubled(nn.Module):
    """Option A by pooling and concatenation, for twice as many channels: all zeros come last."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        assert channels_out == 2 * channels_in
        self.pool = nn.AvgPool2d(1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(x)
        return torch.cat([x, torch.zeros_like(x)], 1)


def numbered(channels_in: int, channels_out: int) -> nn.Module:
    """Option B, its two layers known by number."""
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 1, 2, bias=False), nn.BatchNorm2d(channels_out))


def lettered(channels_in: int, channels_out: int) -> nn.Module:
    """Option B, its two layers known by name."""
    layers = numbered(channels_in, channels_out)
    assert isinstance(layers, nn.Sequential)
    named = nn.Sequential()
    for name, layer in zip(("conv", "bn"), layers, strict=True):
        named.add_module(name, layer)
    return named


@dataclass(frozen=True)
class Layout:
    """The names of one project, and its shortcut where the size changes."""

    shortcut: Callable[[int, int], nn.Module]
    shortcut_name: str = "shortcut"
    stem: tuple[str, str] = ("conv1", "bn1")
    block: tuple[str, str, str, str] = ("conv1", "bn1", "conv2", "bn2")
    stage: str = "layer"
    classifier: str = "linear"


LETTERS = {
    "stem": ("conv_1_3x3", "bn_1"),
    "block": ("conv_a", "bn_a", "conv_b", "bn_b"),
    "stage": "stage_",
    "classifier": "classifier",
    "shortcut_name": "downsample",
}
LAYOUTS = {
    "akamaster": Layout(Around),
    "akamaster, option B": Layout(numbered),
    "chenyaofo": Layout(numbered, "downsample", classifier="fc"),
    "letters": Layout(Doubled, **LETTERS),
    "letters, option B": Layout(lettered, **LETTERS),
}


class OtherBlock(nn.Module):
    """Two 3×3 layers and a shortcut around them."""

    def __init__(self, layout: Layout, channels_in: int, channels: int) -> None:
        super().__init__()
        self.names = layout.block
        first, first_norm, second, second_norm = self.names
        grows = channels != channels_in
        self.add_module(first, nn.Conv2d(channels_in, channels, 3, 2 if grows else 1, 1, bias=False))
        self.add_module(first_norm, nn.BatchNorm2d(channels))
        self.add_module(second, nn.Conv2d(channels, channels, 3, 1, 1, bias=False))
        self.add_module(second_norm, nn.BatchNorm2d(channels))
        self.shortcut_name = layout.shortcut_name
        self.add_module(self.shortcut_name, layout.shortcut(channels_in, channels) if grows else nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        first, first_norm, second, second_norm = (self.get_submodule(name) for name in self.names)
        y = second_norm(second(F.relu(first_norm(first(x)))))
        return F.relu(y + self.get_submodule(self.shortcut_name)(x))


class OtherNetwork(nn.Module):
    """A residual network of section 4.2 in the layout of another project, freshly initialized.

    Its batch normalization has seen one batch of noise and has weights of its own, so that no two channels are alike.
    """

    def __init__(self, layout: Layout, depth: int, classes: int = 10, width: int = 16) -> None:
        super().__init__()
        self.layout = layout
        self.add_module(layout.stem[0], nn.Conv2d(3, width, 3, 1, 1, bias=False))
        self.add_module(layout.stem[1], nn.BatchNorm2d(width))
        channels = width
        for number in (1, 2, 3):
            blocks = []
            for _ in range((depth - 2) // 6):
                blocks.append(OtherBlock(layout, channels, width * 2 ** (number - 1)))
                channels = width * 2 ** (number - 1)
            self.add_module(f"{layout.stage}{number}", nn.Sequential(*blocks))
        self.add_module(layout.classifier, nn.Linear(channels, classes))
        self._randomize()

    def _randomize(self) -> None:
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in self.parameters():
                scale = (2 / parameter[0].numel()) ** 0.5 if parameter.ndim > 1 else 0.5
                centre = 0.0 if parameter.ndim > 1 else 0.5
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale + centre)
            self.train()(torch.randn(8, 3, 16, 16, generator=generator))
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        convolution, norm = (self.get_submodule(name) for name in self.layout.stem)
        x = F.relu(norm(convolution(x)))
        for number in (1, 2, 3):
            x = self.get_submodule(f"{self.layout.stage}{number}")(x)
        logits: Tensor = self.get_submodule(self.layout.classifier)(x.mean((2, 3)))
        return logits


def akamaster_of(ours: dict[str, Tensor]) -> OtherNetwork:
    """ResNet-20 in akamaster's layout with trained weights of ours, each channel where that project has it."""
    middle = [*range(8, 24), *range(8), *range(24, 32)]  # where channel i of our second stage is: 16 old ones after 8 zeros
    last = [place + 16 for place in middle] + [*range(16), *range(48, 64)]  # and of the third: 32 old ones after 16
    places = [list(range(16)), list(range(16)), middle, last]
    network = OtherNetwork(LAYOUTS["akamaster"], 20)
    for name, target in network.state_dict().items():  # these share the network's memory
        tensor = ours[name.replace("linear.", "fc.")]
        writer = re.fullmatch(r"layer(\d)\.\d\.(conv2|bn2)\.\w+", name)
        reader = re.fullmatch(r"layer(\d)\.(\d)\.conv1\.weight", name)
        if writer and tensor.ndim:
            target[places[int(writer[1])]] = tensor
        elif reader:
            target[:, places[int(reader[1]) - (reader[2] == "0")]] = tensor
        elif name == "linear.weight":
            target[:, last] = tensor
        else:
            target.copy_(tensor)
    return network
