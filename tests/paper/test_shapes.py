"""The shapes that the page draws are those inside the real networks."""

from __future__ import annotations

import pytest
import torch

from resnet_demo.config import ModelConfig
from resnet_demo.model.cost import DESIGN_SIDE, cost, costs_by_stage
from resnet_demo.model.resnet import ResNet
from resnet_demo.paper.shapes import NETWORKS, convention, drawing, stages

SMALL = [config for config in NETWORKS if config.depth <= 56]


def shapes_inside(config: ModelConfig) -> dict[str, list[tuple[int, ...]]]:
    """By stage: the input of each different block, and the output of each of its convolutions."""
    with torch.device("meta"):
        network, picture = ResNet(config), torch.empty(1, 3, *(DESIGN_SIDE[config.design],) * 2)
        shapes: dict[str, tuple[int, ...]] = {}
        for name, module in network.named_modules():
            module.register_forward_hook(lambda _, x, y, name=name: shapes.update({name: (*x[0].shape[1:], *y.shape[1:])}))
        network(picture)
    convolutions = 3 if config.block == "bottleneck" else 2
    result = {}
    for stage, blocks in network.stages.items():
        first, last = f"{stage}.0", f"{stage}.{len(blocks) - 1}"
        different = [first] if shapes[first][:3] == shapes[first][3:] or first == last else [first, last]
        result[stage] = [
            shape
            for block in different
            for shape in (shapes[block][:3], *(shapes[f"{block}.conv{number + 1}"][3:] for number in range(convolutions)))
        ]
    return result


@pytest.mark.parametrize("stride_in", ["1x1", "3x3"])
@pytest.mark.parametrize("network", SMALL, ids=lambda config: config.name)
def test_every_shape_is_that_of_the_real_network(network: ModelConfig, stride_in: str) -> None:
    config = network.model_copy(update={"stride_in": stride_in})
    _, *middle, last = stages(config)
    assert {
        stage.name.split()[0]: [
            shape for block in stage.blocks for shape in (block.input, *(layer.shape for layer in block.layers))
        ]
        for stage in middle
    } == shapes_inside(config)
    assert last.output == (config.classes, 1, 1)


@pytest.mark.parametrize("config", NETWORKS, ids=lambda config: config.name)
def test_the_stages_add_up_to_the_network(config: ModelConfig) -> None:
    assert sum(part.parameters for part in costs_by_stage(config)) == cost(config).parameters
    assert [stage.cost for stage in stages(config)] == list(costs_by_stage(config))
    assert drawing(config)["multiply_adds"] == cost(config).multiply_adds


def test_the_stages_of_resnet_34_cost_what_a_sum_done_by_hand_gives() -> None:
    stem, first, *_, classifier = costs_by_stage(ModelConfig.named("resnet34"))
    assert stem.parameters == 3 * 64 * 49 + 2 * 64
    assert stem.multiply_adds == 3 * 64 * 49 * 112**2
    assert first.multiply_adds == 6 * 64 * 64 * 9 * 56**2
    assert classifier.parameters == 512 * 1000 + 1000


def test_both_conventions_of_counting_are_named() -> None:
    assert "3.86 billion with the stride in the first 1×1 layer" in convention(ModelConfig.named("resnet50", stride_in="1x1"))
    assert "4.09 with it in the 3×3 layer" in convention(ModelConfig.named("resnet50", stride_in="1x1"))
    assert "stride" not in convention(ModelConfig.named("resnet34"))


def test_shortcuts_are_named_by_what_they_do() -> None:
    names = [block.shortcut for stage in stages(ModelConfig.named("resnet20")) for block in stage.blocks]
    assert names == [
        "identity",
        "every second pixel, 16 channels of zeros",
        "identity",
        "every second pixel, 32 channels of zeros",
        "identity",
    ]
    assert stages(ModelConfig.named("resnet50"))[1].blocks[0].shortcut == "1×1, 256 filters"
