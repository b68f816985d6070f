"""Sections 3.3, 3.4 and 4.2: stem, stages and classifier, put together from a table.

Parameter names are torchvision's, so published weights load unchanged:
conv1, bn1, layer1.0.conv1, …, layer4.2.bn3, fc. A head with hidden layers is not the paper's; transfer learning needs it.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, relu

from resnet_demo.config import ModelConfig
from resnet_demo.model.blocks import BasicBlock, Bottleneck, Norm, conv3x3, no_norm

BLOCKS: dict[str, type[BasicBlock] | type[Bottleneck]] = {"basic": BasicBlock, "bottleneck": Bottleneck}


class Dropout(nn.Module):
    """Sets a share of its inputs to zero while it trains (Srivastava et al. 2014), drawn from random numbers of its own.

    torch's own draws from the global generator, which a run that is continued does not have.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generator = torch.Generator()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C) -> (N, C)."""
        if not self.training:
            return x
        keep = torch.rand(x.shape, generator=self.generator) >= self.share
        return x * keep.to(x.device) / (1 - self.share)


def classifier(channels: int, config: ModelConfig) -> nn.Module:
    """The layers after the pooling: the paper's one dense layer, or hidden ones with relu, and dropout, before it."""
    layers: list[nn.Module] = []
    for size in config.hidden:
        layers += [nn.Linear(channels, size), nn.ReLU()]
        channels = size
    if config.dropout:
        layers.append(Dropout(config.dropout))
    last = nn.Linear(channels, config.classes)
    return nn.Sequential(*layers, last) if layers else last


class ResNet(nn.Module):
    """A plain or residual network of the paper.

    Args:
        config: which network.
        norm: makes each normalization layer from its number of channels; not used where config.batch_norm is false.

    Shape:
        (N, 3, H, W) normalized pictures -> (N, classes) logits.
        The CIFAR nets are made for 32×32 (maps of 32, 16 and 8), the ImageNet nets for 224×224 (maps of 56, 28, 14 and
        7); both accept other sizes, because global average pooling follows.
    """

    def __init__(self, config: ModelConfig, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        self.config = config
        norm = norm if config.batch_norm else no_norm
        width, bias = config.width, not config.batch_norm
        if config.design == "cifar":  # section 4.2: the first layer is a 3×3 convolution
            self.conv1 = conv3x3(3, width, bias=bias)
            self.maxpool: nn.Module = nn.Identity()
        else:  # Table 1: 7×7, stride 2, then 3×3 max pooling, stride 2
            self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=bias)
            self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.bn1 = norm(width)
        channels, block = width, BLOCKS[config.block]
        for number, blocks in enumerate(config.stages):
            stage_width, stride = width * 2**number, 1 if number == 0 else 2  # section 3.3: half the map, twice the filters
            stage = nn.Sequential(block(channels, stage_width, stride, config, norm))
            channels = stage_width * block.expansion
            for _ in range(blocks - 1):
                stage.append(block(channels, stage_width, 1, config, norm))
            self.add_module(f"layer{number + 1}", stage)
        self.fc = classifier(channels, config)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.conv1.weight.device

    @property
    def stages(self) -> OrderedDict[str, nn.Sequential]:
        """The stages by name, in order: layer1, layer2, layer3 (and layer4)."""
        names = [f"layer{number + 1}" for number in range(len(self.config.stages))]
        return OrderedDict((name, cast("nn.Sequential", self.get_submodule(name))) for name in names)

    def stem(self, x: Tensor) -> Tensor:
        """The layers before the first stage."""
        y: Tensor = self.maxpool(relu(self.bn1(self.conv1(x))))
        return y

    def features(self, x: Tensor) -> Tensor:
        """The maps of the last stage, (N, C, h, w)."""
        x = self.stem(x)
        for stage in self.stages.values():
            x = stage(x)
        return x

    def pool(self, x: Tensor) -> Tensor:
        """Global average pooling: (N, C, h, w) -> (N, C)."""
        return torch.flatten(adaptive_avg_pool2d(x, 1), 1)

    def head(self, x: Tensor) -> Tensor:
        """Global average pooling and the classifier: (N, C, h, w) -> (N, classes)."""
        logits: Tensor = self.fc(self.pool(x))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, classes) logits."""
        return self.head(self.features(x))


def build(config: ModelConfig, seed: int = 0, norm: Norm = nn.BatchNorm2d) -> ResNet:
    """A freshly initialized network on the CPU, drawn from random numbers of its own.

    Weights follow section 3.4: normal with variance 2 / fan_in (He et al. 2015, arXiv 1502.01852); the
    classifier's are uniform within 1 / sqrt(fan_in). The shortcuts of option A have no parameters, and
    projections are drawn after everything else, so that a plain and a residual network of one depth and
    one seed start from the same weights in the layers that they share.
    """
    with torch.device("meta"):  # the constructors' own initialization would draw from the global generator
        model = ResNet(config, norm)
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
            elif isinstance(layer, Dropout):
                layer.generator.manual_seed(seed)
    return model
