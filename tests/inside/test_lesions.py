"""Blocks left out, exchanged and with weaker shortcuts: against a network that is taken apart by hand, and nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch.nn.functional import pad, relu

from resnet_demo.errors import SettingError
from resnet_demo.inside import dial, lesions
from resnet_demo.inside.composition import blocks_of, compose, leave_out_each, with_shortcut_scaled, without_layers
from resnet_demo.inside.context import Context
from resnet_demo.inside.laboratory import Laboratory
from resnet_demo.inside.request import InsideRequest
from resnet_demo.inside.sample import Sample, sample
from resnet_demo.zoo import catalogue, folder

IMAGES = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))
CONTEXT = Context(lambda name: folder.load(catalogue.SHIPPED / name), str, lambda: False)


@pytest.fixture(params=["plain20-cifar10", "resnet20-cifar10"], scope="module")
def weights(request: pytest.FixtureRequest) -> folder.Weights:
    return folder.load(catalogue.SHIPPED / request.param)


def test_a_network_composed_of_its_own_blocks_is_the_network(weights: folder.Weights) -> None:
    blocks = [block for _, block in blocks_of(weights)]
    assert torch.equal(compose(weights.model, blocks)(IMAGES), weights.model(IMAGES))
    if weights.model.config.residual:
        same = [with_shortcut_scaled(block, 1.0) for block in blocks]
        assert torch.equal(compose(weights.model, same)(IMAGES), weights.model(IMAGES))


def test_each_block_left_out_is_what_remains_of_it_and_the_model_is_unchanged(weights: folder.Weights) -> None:
    before = {name: tensor.clone() for name, tensor in weights.model.state_dict().items()}
    blocks = [block for _, block in blocks_of(weights)]
    rows = leave_out_each(weights.model, blocks)(IMAGES)
    assert rows.shape == (10, 6, 10)
    assert torch.equal(rows[0], weights.model(IMAGES))
    x = weights.model.stem(IMAGES)
    for number, block in enumerate(blocks):  # by hand: the fourth block halves the map and doubles the channels
        x = pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 16)) if number == 3 else block(x)
    assert torch.allclose(rows[4], weights.model.head(x), atol=1e-5)
    assert all(torch.equal(before[name], tensor) for name, tensor in weights.model.state_dict().items())
    assert not any(module._forward_hooks for module in weights.model.modules())


def test_a_weaker_shortcut_is_that_of_the_formula() -> None:
    block = blocks_of(folder.load(catalogue.SHIPPED / "resnet20-cifar10"))[0][1]
    x = torch.rand(2, 16, 8, 8)
    assert torch.allclose(
        with_shortcut_scaled(block, 0.3)(x), relu(block.bn2(block.conv2(relu(block.bn1(block.conv1(x))))) + 0.3 * x)
    )
    assert torch.equal(without_layers(block)(x), x)


def test_the_share_that_is_right_is_counted_over_all_parts() -> None:
    labels = torch.tensor([0, 1] * 130)
    pictures = Sample(torch.zeros(260, 1), labels)
    always_first = torch.tensor([1.0, 0.0])
    assert pictures.accuracy(lambda x: always_first.expand(len(x), 2), CONTEXT) == [50]
    assert pictures.accuracy(lambda x: torch.stack([always_first.expand(len(x), 2)] * 2), CONTEXT) == [50, 50]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    """The experiments on twenty pictures only."""
    whole = sample

    def part(weights: folder.Weights) -> Sample:
        pictures = whole(weights)
        return Sample(pictures.inputs[:20], pictures.labels[:20])

    for module in (lesions, dial):
        monkeypatch.setattr(module, "sample", part)
    return ("each", "several", "order")


def test_every_way_says_what_its_bars_and_lines_show(few: Sequence[str]) -> None:
    for way in few:
        outcome = lesions.run(InsideRequest.model_validate({"experiment": "drop", "way": way, "second": ""}), CONTEXT)
        (panel,) = outcome.panels
        assert outcome.sentence.startswith("ResNet-20 (CIFAR-10)")
        values = [y for _, y in panel.lines[0].points]
        assert len(values) == {"each": 9, "several": 6, "order": 5}[way]
        if way == "several":
            assert values[0] > 80 > 30 > values[-1]
        elif way == "each":
            assert (panel.labels[0], panel.labels[-1]) == ("1.0", "3.2")
            assert f"{max(values):.1f}" in outcome.sentence and f"{min(values):.1f}" in outcome.sentence


def test_the_dial_starts_at_the_whole_network_and_refuses_a_plain_one(few: Sequence[str]) -> None:
    assert few
    outcome = dial.run(InsideRequest(experiment="dial"), CONTEXT)
    points = dict(outcome.panels[0].lines[0].points)
    assert points[1.0] > 80 > 40 > points[0.0]
    with pytest.raises(SettingError, match="has no shortcuts"):
        dial.run(InsideRequest(experiment="dial", model="plain20-cifar10"), CONTEXT)


def test_an_experiment_is_computed_once(few: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert few
    laboratory, request = Laboratory(), InsideRequest(experiment="dial")
    assert laboratory.find(request) is None
    outcome = laboratory.run(request, CONTEXT)
    monkeypatch.setattr(dial, "sample", None)
    assert laboratory.run(request.model_copy(update={"depth": 8}), CONTEXT) is outcome  # the dial reads no depth
