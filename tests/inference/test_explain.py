from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

import captum.attr
import numpy
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import Tensor, nn

from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import SettingError
from resnet_demo.inference.classify import Answer, classify
from resnet_demo.inference.explain import Cancelled, Map, Stage, attribute, grad_cam, grad_cams, stages
from resnet_demo.model.resnet import ResNet
from resnet_demo.zoo.folder import Weights
from tests.inference.networks import noise, weights


@pytest.fixture(scope="module")
def small() -> Weights:
    return weights("resnet8")


@pytest.fixture(scope="module")
def tiny() -> Weights:
    return weights("resnet8", side=16)


@pytest.fixture(scope="module")
def resnet18() -> Weights:
    return weights("resnet18", side=64)


def test_grad_cam_is_what_one_computes_by_hand() -> None:
    # Two classes read two channels of one 2×2 map: logit = W · mean. So d logit / d map = W / 4 at every place,
    # its mean over the places is W / 4, and the map is the sum of W / 4 · channel.
    config = ModelConfig(depth=8, width=4, classes=2)
    model = ResNet(config).eval().requires_grad_(False)
    features = torch.zeros(1, 16, 2, 2)
    features[0, 0] = torch.tensor([[4.0, 0.0], [8.0, 12.0]])
    features[0, 1] = torch.tensor([[0.0, 4.0], [8.0, -4.0]])
    model.fc.weight.data.zero_()
    model.fc.weight.data[0, :2] = torch.tensor([1.0, -2.0])
    model.fc.weight.data[1, :2] = torch.tensor([3.0, 1.0])
    lent = Weights("by hand", model, Preprocessing(), ("first", "second"))
    logits = model.head(features.requires_grad_())[0]
    answer = Answer(lent, noise(32, 32), torch.tensor([0.5, 0.5]), MappingProxyType({"layer3": features}), logits)
    assert_array_equal(grad_cam(answer, "layer3", 0).values, [[1.0, -2.0], [-2.0, 5.0]])
    assert_array_equal(grad_cam(answer, "layer3", 1).values, [[3.0, 1.0], [8.0, 8.0]])
    assert_array_equal(grad_cam(answer, "layer3", 0, contrast=1).values, [[-2.0, -3.0], [-10.0, -3.0]])
    first = grad_cam(answer, "layer3", 0)
    assert_allclose(first.positive, [[0.2, 0.0], [0.0, 1.0]])
    assert_allclose(first.signed, [[0.2, -0.4], [-0.4, 1.0]])
    assert not first.is_zero
    nothing = grad_cam(answer, "layer3", 0, contrast=1)
    assert nothing.is_zero
    assert_array_equal(nothing.positive, numpy.zeros((2, 2)))
    assert_allclose(nothing.signed, [[-0.2, -0.3], [-1.0, -0.3]])


def test_a_map_of_zeros_is_zero_in_every_form() -> None:
    empty = Map(numpy.zeros((2, 3), numpy.float32), Stage("layer3", "Stage 3", (2, 3)), 0, "grad-cam")
    assert empty.is_zero
    assert_array_equal(empty.positive, empty.values)
    assert_array_equal(empty.signed, empty.values)


@pytest.mark.parametrize("stage", ["layer1", "layer2", "layer3", "layer4"])
def test_grad_cam_equals_stock_captum_on_resnet18(resnet18: Weights, stage: str) -> None:
    picture = noise(80, 64)
    answer = classify(resnet18, picture)
    target = answer.top(1)[0].index
    model = copy.deepcopy(resnet18.model)
    x = resnet18.preprocessing(picture).requires_grad_()
    stock = captum.attr.LayerGradCam(model, model.get_submodule(stage)).attribute(x, target)[0, 0].detach().numpy()
    found = grad_cam(answer, stage, target)
    assert found.values.dtype == numpy.float32
    assert abs(stock).max() > 1e-4  # there is something to compare
    assert_allclose(found.values, stock, rtol=1e-4, atol=1e-5 * abs(stock).max())


def test_every_stage_is_named_with_the_size_of_its_map(small: Weights, resnet18: Weights) -> None:
    assert stages(classify(small, noise(50, 40))) == (
        Stage("layer1", "Stage 1", (32, 32)),
        Stage("layer2", "Stage 2", (16, 16)),
        Stage("layer3", "Stage 3", (8, 8)),
    )
    answer = classify(resnet18, noise(64, 64))
    found = grad_cams(answer, answer.activations, 7)
    assert [(each.stage.name, each.values.shape, each.target) for each in found] == [
        ("layer1", (16, 16), 7), ("layer2", (8, 8), 7), ("layer3", (4, 4), 7), ("layer4", (2, 2), 7),
    ]  # fmt: skip


@pytest.mark.parametrize("contrast", [None, 9])
def test_all_stages_at_once_are_the_maps_of_each_stage(small: Weights, contrast: int | None) -> None:
    answer = classify(small, noise(32, 32))
    for found in grad_cams(answer, answer.activations, 3, contrast):
        wanted = grad_cam(answer, found.stage.name, 3, contrast)
        assert (found.stage, found.target, found.method) == (wanted.stage, wanted.target, wanted.method)
        assert_allclose(found.values, wanted.values, rtol=1e-4, atol=1e-5 * abs(wanted.values).max())


def test_a_contrast_turned_round_changes_only_the_sign(small: Weights) -> None:
    answer = classify(small, noise(32, 32))
    for stage in answer.activations:
        one, other = grad_cam(answer, stage, 3, contrast=5), grad_cam(answer, stage, 5, contrast=3)
        assert_allclose(one.values, -other.values, rtol=1e-4, atol=1e-6)
        difference = grad_cam(answer, stage, 3).values - grad_cam(answer, stage, 5).values
        assert_allclose(one.values, difference, rtol=1e-3, atol=1e-5)
        assert_allclose(grad_cam(answer, stage, 3, contrast=3).values, 0, atol=1e-7)


def test_two_hundred_explanations_at_once_on_one_model_are_all_right(tiny: Weights) -> None:
    pictures = [noise(20, 16, seed) for seed in range(10)]

    def explained(number: int) -> tuple[Tensor, list[Map]]:
        answer = classify(tiny, pictures[number])
        return answer.probabilities, [grad_cam(answer, stage.name, number) for stage in stages(answer)]

    alone = [explained(number) for number in range(10)]
    with ThreadPoolExecutor(16) as threads:
        together = list(threads.map(explained, [number % 10 for number in range(200)]))
    assert len(together) == 200
    for number, (probabilities, maps) in enumerate(together):
        wanted_probabilities, wanted = alone[number % 10]
        torch.testing.assert_close(probabilities, wanted_probabilities)
        for found, right in zip(maps, wanted, strict=True):
            assert_allclose(found.values, right.values, rtol=1e-4, atol=1e-5 * abs(right.values).max())


def test_integrated_gradients_add_up_to_the_difference_of_the_logits(tiny: Weights) -> None:
    picture = noise(16, 16)
    x = tiny.preprocessing(picture)
    with torch.no_grad():
        difference = (tiny.model(x) - tiny.model(torch.zeros_like(x)))[0]
    target = int(difference.abs().argmax())
    found = attribute(tiny, picture, "integrated-gradients", target)
    assert found.values.shape == (16, 16)
    assert abs(float(difference[target])) > 0.5
    assert float(found.values.sum()) == pytest.approx(float(difference[target]), rel=0.02)


def test_occlusion_is_how_far_the_logit_falls_by_hand(small: Weights) -> None:
    picture, target = noise(32, 32), 4
    x = small.preprocessing(picture)
    falls, covered = torch.zeros(32, 32), torch.zeros(32, 32)
    with torch.no_grad():
        whole = small.model(x)[0, target]
        for top in range(0, 25, 4):
            for left in range(0, 25, 4):
                hidden = x.clone()
                hidden[..., top : top + 8, left : left + 8] = 0
                falls[top : top + 8, left : left + 8] += whole - small.model(hidden)[0, target]
                covered[top : top + 8, left : left + 8] += 1
    found = attribute(small, picture, "occlusion", target)
    assert_allclose(found.values, (falls / covered).numpy(), rtol=1e-3, atol=1e-4)


def test_guided_backpropagation_in_one_thread_leaves_the_others_alone(small: Weights) -> None:
    answer = classify(small, noise(32, 32))
    alone = grad_cam(answer, "layer1", 2).values
    guided = attribute(small, noise(32, 32), "guided-grad-cam", 2).values

    def explained(number: int) -> numpy.ndarray:
        if number % 2:
            return grad_cam(answer, "layer1", 2).values
        return attribute(small, noise(32, 32), "guided-grad-cam", 2).values

    with ThreadPoolExecutor(8) as threads:
        for number, values in enumerate(threads.map(explained, range(40))):
            wanted = alone if number % 2 else guided
            assert_allclose(values, wanted, rtol=1e-3, atol=1e-5 * abs(wanted).max())


class WithReluModules(nn.Module):
    """The same network with a module for each relu, which Captum's own guided backpropagation can hook."""

    def __init__(self, model: ResNet) -> None:
        super().__init__()
        self.model = copy.deepcopy(model)
        self.relus = nn.ModuleList(nn.ReLU() for _ in range(1 + 2 * sum(model.config.stages)))

    def forward(self, x: Tensor) -> Tensor:
        relus = iter(self.relus)
        x = next(relus)(self.model.bn1(self.model.conv1(x)))
        for stage in self.model.stages.values():
            for block in stage:
                y = next(relus)(block.bn1(block.conv1(x)))
                x = next(relus)(block.bn2(block.conv2(y)) + block.shortcut(x))
            self.last = x
        return self.model.head(x)


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU activations")
def test_guided_grad_cam_equals_stock_captum(small: Weights) -> None:
    picture, target = noise(32, 32), 2
    twin = WithReluModules(small.model).eval()
    last = twin.relus[-1]
    stock = captum.attr.GuidedGradCam(twin, last).attribute(
        small.preprocessing(picture).requires_grad_(), target, interpolate_mode="bilinear"
    )
    found = attribute(small, picture, "guided-grad-cam", target)
    wanted = stock.sum(1)[0].detach().numpy()
    assert abs(wanted).max() > 1e-4
    assert_allclose(found.values, wanted, rtol=1e-3, atol=1e-5 * abs(wanted).max())


@pytest.mark.parametrize("method", ["guided-grad-cam", "integrated-gradients", "occlusion"])
def test_an_attribution_tells_its_progress_and_can_be_cancelled(tiny: Weights, method: str) -> None:
    told: list[float] = []
    found = attribute(tiny, noise(16, 16), method, 1, on_progress=told.append)  # type: ignore[arg-type]
    assert found.method == method
    assert found.stage == Stage("input", "Pixels", (16, 16))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert max(told[:-1]) < 1.0  # the end is told once
    asked = len(told) // 2
    with pytest.raises(Cancelled):
        attribute(tiny, noise(16, 16), method, 1, should_cancel=lambda: len(told) > asked, on_progress=told.append)  # type: ignore[arg-type]


def test_what_does_not_exist_is_refused_in_one_sentence(small: Weights) -> None:
    answer = classify(small, noise(32, 32))
    with pytest.raises(SettingError, match="resnet8 has no stage 'layer4': say layer1 or layer2 or layer3"):
        grad_cam(answer, "layer4", 0)
    for target, contrast in ((10, None), (-1, None), (0, 10)):
        with pytest.raises(SettingError, match="its classes are 0 to 9"):
            grad_cam(answer, "layer3", target, contrast)
    with pytest.raises(SettingError, match="its classes are 0 to 9"):
        attribute(small, noise(32, 32), "occlusion", 10)
    with pytest.raises(SettingError, match="no method 'magic'"):
        attribute(small, noise(32, 32), "magic", 0)  # type: ignore[arg-type]


def test_the_shared_model_is_unchanged_after_everything(tiny: Weights) -> None:
    before = {name: tensor.clone() for name, tensor in tiny.model.state_dict().items()}
    answer = classify(tiny, noise(16, 16))
    grad_cams(answer, answer.activations, 1, contrast=2)
    for method in ("guided-grad-cam", "integrated-gradients", "occlusion"):
        attribute(tiny, noise(16, 16), method, 1)  # type: ignore[arg-type]
    for name, tensor in tiny.model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    for module in tiny.model.modules():
        assert not module.training
        assert not (module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks)
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in tiny.model.parameters())
    assert answer.activations["layer1"].grad is None  # the leaf of the answer's graph


def test_explaining_works_where_gradients_are_switched_off(small: Weights) -> None:
    answer = classify(small, noise(32, 32))
    with torch.no_grad():
        found = grad_cam(answer, "layer2", 1)
    assert_array_equal(found.values, grad_cam(answer, "layer2", 1).values)
