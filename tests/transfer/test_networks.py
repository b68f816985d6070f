"""What learns and what does not; the nearest class mean."""

from __future__ import annotations

import torch
from torch import nn

from resnet_demo.config import ModelConfig
from resnet_demo.model.cost import cost
from resnet_demo.model.resnet import build
from resnet_demo.transfer.networks import PartlyFrozen, last_stages, nearest_class_mean

NETWORK = ModelConfig(depth=8, width=4, classes=3, hidden=(6, 5), dropout=0.5)


def test_only_the_unfrozen_parts_train_whatever_mode_the_loop_sets() -> None:
    network = build(NETWORK)
    partly = PartlyFrozen(network, last_stages(network, 1))
    assert partly.train() is partly
    training = {name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d) and module.training}
    assert training
    assert all(name.startswith("layer3.") for name in training)
    gradients = {name.partition(".")[0] for name, value in network.named_parameters() if value.requires_grad}
    assert gradients == {"layer3", "fc"}
    partly.eval()
    assert not any(module.training for module in network.modules())


def test_dropout_drops_its_share_from_random_numbers_of_its_own() -> None:
    before = torch.get_rng_state()
    head = build(NETWORK, seed=1).fc
    other = build(NETWORK, seed=1).fc
    head.train()
    dropout = next(module for module in head.modules() if type(module).__name__ == "Dropout")
    values = dropout(torch.ones(1000, 4))
    assert set(values.unique().tolist()) == {0.0, 2.0}
    assert abs(values.mean() - 1) < 0.1
    twin = next(module for module in other.modules() if type(module).__name__ == "Dropout")
    assert torch.equal(twin.train()(torch.ones(1000, 4)), values)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(dropout.eval()(torch.ones(2, 4)), torch.ones(2, 4))


def test_a_head_with_hidden_layers_costs_what_cost_counts() -> None:
    assert sum(parameter.numel() for parameter in build(NETWORK).parameters()) == cost(NETWORK).parameters
    head = 16 * 6 + 6 * 5 + 5 * 3
    without = cost(NETWORK.model_copy(update={"hidden": ()})).multiply_adds - 16 * 3
    assert cost(NETWORK).multiply_adds == without + head


def test_the_nearest_class_mean_by_hand() -> None:
    train = torch.tensor([[0.0, 0.0], [2.0, 0.0], [10.0, 0.0]])  # the means are (1, 0) and (10, 0)
    test = torch.tensor([[5.0, 0.0], [6.0, 0.0]])
    assert nearest_class_mean(train, torch.tensor([0, 0, 1]), test, 2).tolist() == [0, 1]
