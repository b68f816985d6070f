from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from resnet_demo.config import ModelConfig
from resnet_demo.data.augment import normalize
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.evaluation.forward import NEAR_TIE, Forward, fused, ready
from resnet_demo.model.resnet import ResNet, build
from resnet_demo.zoo.folder import Weights


def trained(name: str, **changes: object) -> ResNet:
    """A network whose batch normalizations are not the identity."""
    model = build(ModelConfig.named(name, classes=7, **changes), seed=3)
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor, low, high in (
                (module.running_mean, -1, 1),
                (module.running_var, 0.5, 2),
                (module.bias, -1, 1),
                (module.weight, 0.5, 2),
            ):
                assert tensor is not None
                tensor.data.uniform_(low, high, generator=generator)
    return model.eval().requires_grad_(False)


@pytest.fixture
def images() -> Tensor:
    return torch.randint(256, (6, 3, 32, 32), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


@pytest.mark.parametrize("name", ["resnet8", "plain8", "resnet18", "resnet50"])
def test_a_fused_network_gives_the_same_logits_and_has_no_batch_normalization(name: str, images: Tensor) -> None:
    model = trained(name, **({"width": 16} if name in ("resnet18", "resnet50") else {}))
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    result = fused(model)
    assert not [module for module in result.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    x = normalize(images, (0.5,) * 3, (0.25,) * 3)
    expected = model(x)
    torch.testing.assert_close(result(x), expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())


class Stub(Forward):
    """Answers in bf16 are wrong by a little."""

    def _pass(self, x: Tensor, *, bf16: bool) -> Tensor:
        exact = x[:, :2, 0, 0] * 100
        return exact.flip(1) if bf16 and len(x) > 1 else exact


def test_near_ties_are_computed_again_in_fp32() -> None:
    pictures = torch.zeros(3, 3, 8, 8, dtype=torch.uint8)
    pictures[1, 0] = 255  # far apart: 100 beside 0
    preprocessing = Preprocessing(image_size=8, resize=8, mean=(0.0,) * 3, std=(1.0,) * 3)
    forward = Stub(Weights("stub", build(ModelConfig.named("resnet8")), preprocessing, ("a", "b")), None, exact=True)
    assert NEAR_TIE < 100
    assert forward(pictures)[1].tolist() == pytest.approx([100, 0])
    forward._bf16 = True
    assert forward(pictures)[1].tolist() == pytest.approx([0, 100])  # bf16 decides where there is no near tie
    assert "near ties" in forward.precision


@pytest.fixture
def weights() -> Iterator[Weights]:
    yield Weights("tiny", trained("resnet8"), Preprocessing(mean=(0.5,) * 3, std=(0.25,) * 3), tuple("abcdefg"))


def test_several_threads_give_the_answers_in_order_and_leave_torch_s_threads_as_they_were(
    weights: Weights, images: Tensor
) -> None:
    threads = torch.get_num_threads()
    with ready(weights, exact=True) as forward:
        logits = forward(images)
    torch.testing.assert_close(logits, weights.model(normalize(images, (0.5,) * 3, (0.25,) * 3)), rtol=1e-3, atol=1e-3)
    assert torch.get_num_threads() == threads
    assert forward.precision == "fp32"
