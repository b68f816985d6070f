"""The optimizer Muon, by matrices whose singular values are known."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from resnet_demo.training.muon import Muon, filter_length, orthogonal


@pytest.mark.parametrize("shape", [(16, 27), (64, 576), (128, 64)])
def test_the_singular_vectors_stay_and_the_singular_values_become_nearly_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    singular = left.T @ orthogonal(1000 * matrix) @ right.T
    assert (singular - torch.diag(singular.diagonal())).abs().max() < 1e-4
    assert values.max() / values.min() > 1.9 and 0.6 < singular.diagonal().min() < singular.diagonal().max() < 1.3


def test_a_step_turns_the_filters_by_the_learning_rate_whatever_the_lengths_of_filters_and_gradient() -> None:
    for size, gradient in ((1.0, 1.0), (50.0, 1e-3)):
        weights = nn.Parameter(size * torch.eye(2).reshape(2, 2, 1, 1))
        optimizer = Muon([{"params": [weights], "weight_decay": 0.5}], lr=0.1, momentum=0.9, filter_rate=0.5)
        weights.grad = gradient * torch.tensor([[0.0, 1.0], [-1.0, 0.0]]).reshape(2, 2, 1, 1)  # at right angles to the filters
        optimizer.step()
        assert torch.allclose(weights.flatten(1), torch.tensor([[1.0, -0.05], [0.05, 1.0]]), atol=1e-6)
        assert filter_length(weights).item() == pytest.approx(1.0025**0.5)


def test_a_weak_direction_of_the_gradient_is_learned_as_a_strong_one_is() -> None:
    weights = nn.Parameter(torch.eye(2).reshape(2, 2, 1, 1))
    optimizer = Muon([weights], lr=0.1, momentum=0.0, filter_rate=1.0)
    weights.grad = torch.diag(torch.tensor([1.0, 0.05])).reshape(2, 2, 1, 1)
    optimizer.step()
    strong, weak = 1 - weights.flatten(1).diagonal()
    assert 0.07 < strong < 0.13 and 0.07 < weak < 0.13


def test_all_other_parameters_learn_by_sgd_with_nesterovs_momentum() -> None:
    ours, theirs = (nn.Parameter(torch.tensor([[1.0, -2.0]])) for _ in range(2))
    muon = Muon([{"params": [ours], "weight_decay": 0.01}], lr=0.1, momentum=0.9, filter_rate=0.5)
    sgd = torch.optim.SGD([theirs], lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    for step in range(3):
        for parameter, optimizer in ((ours, muon), (theirs, sgd)):
            parameter.grad = torch.tensor([[0.5 * step, 1.0]])
            optimizer.step()
    assert torch.allclose(ours, theirs, rtol=1e-6)
