"""Sections 3.3, 3.4 and 4.2: stem, stages and classifier, put together from a table.

Parameter names are torchvision's, so that published weights load unchanged:
conv1, bn1, layer1.0.conv1, …, layer4.2.bn3, fc.
"""

from __future__ import annotations

import math
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet_demo.config import ModelConfig
from resnet_demo.model.blocks import BasicBlock, Block, Bottleneck, conv3x3, norm

BLOCKS: dict[str, type[BasicBlock] | type[Bottleneck]] = {"basic": BasicBlock, "bottleneck": Bottleneck}


class ResNet(nn.Module):
    """A plain or residual network of the paper.

    Args:
        config: which one.

    Shape:
        (N, 3, H, W) normalized pictures -> (N, classes) logits.
        The CIFAR nets see 32×32 (maps of 32, 16 and 8), the ImageNet nets 224×224 (maps of 56, 28, 14 and 7);
        both take other sizes, as global average pooling follows.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width, bias = config.width, not config.batch_norm
        if config.design == "cifar":  # section 4.2: the first layer is a 3×3 convolution
            self.conv1 = conv3x3(3, width, bias=bias)
            self.maxpool: nn.Module = nn.Identity()
        else:  # Table 1: 7×7, stride 2, then 3×3 max pooling, stride 2
            self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=bias)
            self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.bn1 = norm(width, config.batch_norm)
        channels = width
        for number, blocks in enumerate(config.stages):
            stage = self._stage(channels, width * 2**number, blocks, stride=1 if number == 0 else 2)
            self.add_module(f"layer{number + 1}", stage)
            channels = width * 2**number * BLOCKS[config.block].expansion
        self.fc = nn.Linear(channels, config.classes)

    def _stage(self, channels_in: int, width: int, blocks: int, stride: int) -> nn.Sequential:
        """`blocks` building blocks on maps of one size; the first one halves the map (section 3.3)."""
        kind, config = BLOCKS[self.config.block], self.config

        def block(channels: int, stride: int) -> Block:
            return kind(
                channels, width, stride, residual=config.residual, shortcut=config.shortcut,
                batch_norm=config.batch_norm, stride_in=config.stride_in,
            )  # fmt: skip

        first = block(channels_in, stride)
        return nn.Sequential(first, *(block(width * kind.expansion, 1) for _ in range(blocks - 1)))

    @property
    def stages(self) -> OrderedDict[str, nn.Sequential]:
        """The stages by name, in order: layer1, layer2, layer3 (and layer4)."""
        names = [f"layer{number + 1}" for number in range(len(self.config.stages))]
        return OrderedDict((name, self.get_submodule(name)) for name in names)  # type: ignore[misc]  # `_stage` built them

    def stem(self, x: Tensor) -> Tensor:
        """The layers before the first stage."""
        y: Tensor = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        return y

    def features(self, x: Tensor) -> Tensor:
        """The last stage's maps, (N, C, h, w)."""
        x = self.stem(x)
        for stage in self.stages.values():
            x = stage(x)
        return x

    def head(self, x: Tensor) -> Tensor:
        """Global average pooling and the classifier: (N, C, h, w) -> (N, classes)."""
        logits: Tensor = self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, classes) logits."""
        return self.head(self.features(x))


def build(config: ModelConfig, seed: int = 0) -> ResNet:
    """A freshly initialized network on the CPU, with its own random numbers.

    Weights follow section 3.4: normal with variance 2 / fan_in (He et al. 2015, arXiv 1502.01852); the
    classifier's are uniform within 1 / sqrt(fan_in). The shortcuts of option A have no parameters, and
    projections are drawn after everything else, so that a plain and a residual network of one depth and
    one seed start from the same weights in the layers that they share.
    """
    with torch.device("meta"):  # the constructors' own initialization would draw from the global generator
        model = ResNet(config)
    model.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    layers = sorted(model.named_modules(), key=lambda item: "downsample" in item[0])  # a stable sort
    with torch.no_grad():
        for _, layer in layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu", generator=generator)
                if layer.bias is not None:
                    layer.bias.zero_()
            elif isinstance(layer, nn.BatchNorm2d):
                layer.reset_parameters()
            elif isinstance(layer, nn.Linear):
                bound = 1 / math.sqrt(layer.in_features)
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.zero_()
    return model


def count_parameters(model: nn.Module) -> int:
    """The number of learned parameters; running statistics do not count."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_multiply_adds(config: ModelConfig, image_size: int) -> int:
    """Multiply-adds of convolutions and classifier for one picture, the convention of Table 1.

    Counted by torch's FlopCounterMode (which counts a multiply-add as two operations) without computing anything.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        ResNet(config).eval()(torch.empty(1, 3, image_size, image_size))
    return int(counter.get_total_flops()) // 2
