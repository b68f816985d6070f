"""A network as the paper draws it: its stages (Table 1, section 4.2) and its building blocks (Figure 5). No torch here.

Shapes are channels × height × width of one picture; tests compare them with those inside the real networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from resnet_demo.config import ModelConfig
from resnet_demo.model.cost import DESIGN_SIDE, Cost, cost, costs_by_stage

Shape = tuple[int, int, int]

NETWORKS = (
    *(ModelConfig.named(f"resnet{depth}", stride_in="1x1") for depth in (18, 34, 50, 101, 152)),
    *(ModelConfig.named(f"resnet{depth}", design="cifar") for depth in (20, 32, 44, 56, 110, 1202)),
)
"""The residual networks of Table 1 and of section 4.2, with the stride where the paper has it."""


@dataclass(frozen=True)
class Layer:
    """A convolution of F(x), and the shape of its output."""

    text: str
    shape: Shape


@dataclass(frozen=True)
class BlockDrawing:
    """A building block.

    Args:
        title: which blocks of the stage have these shapes.
        input: the shape of x.
        layers: of F(x), first to last; batch normalization follows each, and relu each but the last.
        shortcut: what the shortcut does to x in a residual network.
    """

    title: str
    input: Shape
    layers: tuple[Layer, ...]
    shortcut: str


@dataclass(frozen=True)
class Stage:
    """A part of the network with one size of map.

    Args:
        name: as in the code, with the paper's name for it.
        layers: its layers in words.
        output: the shape of what it computes.
        cost: parameters and multiply-adds.
        blocks: its building blocks, those of equal shapes once.
    """

    name: str
    layers: str
    output: Shape
    cost: Cost
    blocks: tuple[BlockDrawing, ...] = ()


def stages(config: ModelConfig, side: int | None = None) -> tuple[Stage, ...]:
    """The stem, the stages and the classifier of a network.

    Args:
        config: the network.
        side: of the square pictures in pixels, a multiple of the strides; by default the one that the design is made for.
    """
    side = side or DESIGN_SIDE[config.design]
    costs = costs_by_stage(config, side)
    if config.design == "cifar":
        shape = (config.width, side, side)
        result = [Stage("stem", f"3×3, {config.width} filters", shape, costs[0])]
    else:
        shape = (config.width, side // 4, side // 4)
        result = [Stage("stem", f"7×7, {config.width} filters, stride 2; 3×3 max pooling, stride 2", shape, costs[0])]
    for number, count in enumerate(config.stages):
        blocks = tuple(_blocks(config, number, shape))
        shape = blocks[-1].layers[-1].shape
        name = f"layer{number + 1}" + (f" (conv{number + 2}_x)" if config.design == "imagenet" else "")
        inner = "; ".join(layer.text for layer in blocks[-1].layers)
        result.append(
            Stage(name, f"{count} {'block' if count == 1 else 'blocks'} of: {inner}", shape, costs[number + 1], blocks)
        )
    classifier = f"global average pooling; {config.classes:,} outputs, softmax"
    return (*result, Stage("classifier", classifier, (config.classes, 1, 1), costs[-1]))


def _blocks(config: ModelConfig, number: int, shape: Shape) -> Iterator[BlockDrawing]:
    """The first block of a stage, and the others if their shapes differ from it."""
    stride = 1 if number == 0 else 2
    first = _block(config, number, shape, stride)
    output, count = first.layers[-1].shape, config.stages[number]
    if output == shape:
        yield _titled(first, f"each of the {count} blocks" if count > 1 else "the block")
        return
    yield _titled(first, "first block")
    if count > 1:
        yield _titled(
            _block(config, number, output, 1), f"each of the other {count - 1} blocks" if count > 2 else "second block"
        )


def _titled(block: BlockDrawing, title: str) -> BlockDrawing:
    return BlockDrawing(title, block.input, block.layers, block.shortcut)


def _block(config: ModelConfig, number: int, shape: Shape, stride: int) -> BlockDrawing:
    width, side = config.width * 2**number, shape[1]
    if config.block == "bottleneck":
        strides = (stride, 1, 1) if config.stride_in == "1x1" else (1, stride, 1)
        kernels = list(zip((1, 3, 1), (width, width, 4 * width), strides, strict=True))
    else:
        kernels = [(3, width, stride), (3, width, 1)]
    layers = []
    for kernel, filters, step in kernels:
        side //= step
        text = f"{kernel}×{kernel}, {filters} filters" + (f", stride {step}" if step > 1 else "")
        layers.append(Layer(text, (filters, side, side)))
    return BlockDrawing("", shape, tuple(layers), _shortcut(config, shape, layers[-1].shape, stride))


def _shortcut(config: ModelConfig, shape: Shape, output: Shape, stride: int) -> str:
    if shape == output:
        return "identity"
    if config.shortcut == "B":
        return f"1×1, {output[0]} filters" + (f", stride {stride}" if stride > 1 else "")
    return f"every second pixel, {output[0] - shape[0]} channels of zeros"


def title(config: ModelConfig) -> str:
    """The name of a network for people: 'ResNet-34, ImageNet'."""
    return (
        f"{'ResNet' if config.residual else 'Plain'}-{config.depth}, {'CIFAR-10' if config.design == 'cifar' else 'ImageNet'}"
    )


def drawing(config: ModelConfig, side: int | None = None) -> dict[str, Any]:
    """A network as plain values for the widget that draws it; arguments as of `stages`."""
    total = cost(config, side)
    normalization = (
        "Batch normalization follows each convolution." if config.batch_norm else "There is no batch normalization here."
    )
    return {
        "name": config.name, "title": title(config), "scale": config.shortcut_scale,
        "parameters": total.parameters, "multiply_adds": total.multiply_adds,
        "stages": [asdict(stage) for stage in stages(config, side)], "note": f"{normalization} {convention(config)}",
    }  # fmt: skip


def convention(config: ModelConfig) -> str:
    """How the multiply-adds of a network are counted, and what the other convention gives."""
    counted = "Multiply-adds of convolutions and classifier for one picture, counted from the shapes of the layers"
    if config.block != "bottleneck":
        return f"{counted}."
    other = config.model_copy(update={"stride_in": "3x3" if config.stride_in == "1x1" else "1x1"})
    here, there = (f"{cost(network).multiply_adds / 1e9:.2f}" for network in (config, other))
    where = {"1x1": "first 1×1 layer of a bottleneck, as in the paper", "3x3": "3×3 layer, as in torchvision ('v1.5')"}
    return f"{counted}: {here} billion with the stride in the {where[config.stride_in]}, {there} with it in the {where[other.stride_in]}."
