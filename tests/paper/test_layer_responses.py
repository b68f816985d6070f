"""Figure 7: the numbers that ship are those of the weights that ship."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from resnet_demo.data.augment import normalize
from resnet_demo.paper.layer_responses import deviations, layer_responses
from resnet_demo.paper.responses import RESPONSES, Responses
from resnet_demo.parsing import parse
from resnet_demo.zoo import folder
from resnet_demo.zoo.catalogue import SHIPPED

MODELS = sorted(path.parent for path in SHIPPED.glob(f"*/{RESPONSES}"))


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.name)
def test_the_responses_that_ship_are_those_of_the_weights(model: Path) -> None:
    shipped = parse(Responses, (model / RESPONSES).read_text())
    computed = layer_responses(folder.load(model))
    assert computed.layers == shipped.layers
    assert computed.images == shipped.images
    assert computed.deviations == pytest.approx(shipped.deviations, rel=2e-3)


def test_a_response_is_what_a_layer_gives_after_its_normalization_and_before_relu_or_the_addition() -> None:
    weights = folder.load(SHIPPED / "resnet20-cifar10")
    images, preprocessing = torch.arange(8 * 3 * 32 * 32).view(8, 3, 32, 32).to(torch.uint8), weights.preprocessing
    with torch.no_grad():
        first = weights.model.bn1(weights.model.conv1(normalize(images, preprocessing.mean, preprocessing.std)))
        block = weights.model.layer1[0]
        third = block.bn2(block.conv2(block.bn1(block.conv1(first.relu())).relu()))
    result = deviations(weights, images)
    assert [result[0], result[2]] == pytest.approx([float(first.std()), float(third.std())], rel=1e-4)
    assert len(result) == 19
