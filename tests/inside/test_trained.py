"""Responses, maps, neighbours and the loss along a line, each against a direct computation; no shared network is changed."""

from __future__ import annotations

import base64
import io

import numpy
import pytest
import torch
from PIL import Image
from torch.nn.functional import cosine_similarity, cross_entropy

from resnet_demo.data.image import read
from resnet_demo.errors import SettingError
from resnet_demo.evaluation import testset
from resnet_demo.inference.examples import EXAMPLE_PICTURES
from resnet_demo.inside import features, loss_line, responses
from resnet_demo.inside.context import Context
from resnet_demo.inside.outcome import to_csv
from resnet_demo.inside.request import InsideRequest
from resnet_demo.inside.sample import Sample, sample
from resnet_demo.paper.layer_responses import deviations
from resnet_demo.zoo import catalogue, folder


@pytest.fixture(scope="module")
def weights() -> folder.Weights:
    return folder.load(catalogue.SHIPPED / "resnet20-cifar10")


@pytest.fixture(scope="module")
def context(weights: folder.Weights) -> Context:
    return Context(lambda _: weights, str, lambda: False)


def test_the_maps_are_the_output_of_the_block(weights: folder.Weights, context: Context) -> None:
    outcome = features.maps(InsideRequest(experiment="maps", layer=4), context)
    with torch.no_grad():
        stem = weights.model.stem(weights.preprocessing(read(EXAMPLE_PICTURES[0].path)))
        values = weights.model.stages["layer2"][0](weights.model.stages["layer1"](stem))[0]
    query, *tiles = outcome.panels[0].tiles
    assert query.title == "CIFAR-10: cat" and len(tiles) == 32
    assert [tile.value for tile in tiles] == pytest.approx(values.mean((1, 2)).tolist(), abs=1e-3)
    pixels = numpy.array(Image.open(io.BytesIO(base64.b64decode(tiles[5].src.partition(",")[2])))) / 255
    low, high = values[5].min(), values[5].max()
    assert torch.tensor(pixels) == pytest.approx(((values[5] - low) / (high - low)).numpy(), abs=0.01)
    with pytest.raises(SettingError, match="has 9 blocks"):
        features.maps(InsideRequest(experiment="maps", layer=10), context)


def test_the_neighbours_are_those_with_the_largest_cosine(weights: folder.Weights, context: Context) -> None:
    outcome = features.neighbours(InsideRequest(experiment="neighbours"), context)
    pictures = sample(weights)
    with torch.no_grad():
        own = weights.model.pool(weights.model.features(weights.preprocessing(read(EXAMPLE_PICTURES[0].path))))
        others = weights.model.pool(weights.model.features(pictures.inputs[:100]))
    similarities = cosine_similarity(others, own)
    values = [tile.value for tile in outcome.panels[0].tiles[1:] if tile.value is not None]
    assert len(values) == 12 and max(values) <= 0.9999
    assert values == sorted(values, reverse=True)
    assert values[-1] >= float(similarities.topk(13).values[-1]) - 1e-3  # the best of a part are no better than those of all
    assert "takes the picture for: cat" in outcome.sentence
    assert to_csv(outcome).decode().splitlines()[2].startswith("Nearest by features,cat,2,0.")


def test_the_responses_are_figure_7s_and_leave_no_hook(weights: folder.Weights, context: Context) -> None:
    (panel, by_size) = responses.run(InsideRequest(experiment="responses", second=""), context).panels
    values = [y for _, y in panel.lines[0].points]
    images = torch.cat(list(testset.load("bundled").batches(weights.preprocessing)))[::2]
    assert values == pytest.approx(deviations(weights, images), rel=1e-4)
    assert [y for _, y in by_size.lines[0].points] == sorted(values, reverse=True)
    assert not any(module._forward_hooks for module in weights.model.modules())


def test_a_filter_of_the_direction_is_as_long_as_the_networks_own(weights: folder.Weights) -> None:
    way = loss_line.direction(weights.model, 0)
    for name, parameter in weights.model.named_parameters():
        if parameter.dim() > 1:
            assert torch.allclose(way[name].flatten(1).norm(dim=1), parameter.flatten(1).norm(dim=1), rtol=1e-4)
        else:
            assert not way[name].any()
    assert not torch.equal(way["fc.weight"], loss_line.direction(weights.model, 1)["fc.weight"])


def test_the_loss_along_the_line_is_that_of_the_moved_network(weights: folder.Weights, context: Context) -> None:
    before, pictures = {name: tensor.clone() for name, tensor in weights.model.state_dict().items()}, sample(weights)
    few = Sample(pictures.inputs[:8], pictures.labels[:8])
    values = dict(zip(loss_line.DISTANCES, loss_line.losses(weights.model, few, 0, context), strict=True))
    assert values[0.0] == pytest.approx(float(cross_entropy(weights.model(few.inputs), few.labels)), rel=1e-4)
    network = folder.load(catalogue.SHIPPED / "resnet20-cifar10").model
    way = loss_line.direction(network, 0)
    network.load_state_dict(
        {name: value + 0.3 * way.get(name, torch.zeros(())) for name, value in network.state_dict().items()}
    )
    assert values[0.3] == pytest.approx(float(cross_entropy(network(few.inputs), few.labels)), rel=1e-3)
    assert all(torch.equal(before[name], tensor) for name, tensor in weights.model.state_dict().items())
