"""The networks as a whole: parameters and multiply-adds against the paper, logits against torchvision."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from resnet_demo.config import ARCHITECTURES, CIFAR_DEPTHS, IMAGENET_STAGES, ModelConfig
from resnet_demo.model.cost import cost
from resnet_demo.model.resnet import ResNet, build


def skeleton(name: str, **changes: Any) -> ResNet:
    """A network without values: shapes only."""
    with torch.device("meta"):
        return ResNet(ModelConfig.named(name, **changes))


def parameters(model: nn.Module) -> int:
    """The number of learned parameters; running statistics do not count."""
    return sum(parameter.numel() for parameter in model.parameters())


# --- Parameters ---------------------------------------------------------------------------------------

# All that is learned: convolutions, scales and shifts of batch normalization, the classifier with its bias.
# ImageNet: torchvision's documentation. Plain-18 and -34 lack the projections and their normalization:
# 64·128 + 128·256 + 256·512 + 2 (128 + 256 + 512) = 173,824 fewer.
PARAMETERS = {
    8: 75_290, 14: 172_506, 20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962, 1202: 19_421_274,
    18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160, 152: 60_192_808,
}  # fmt: skip
PROJECTIONS = 173_824


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parameters_are_counted_to_the_unit(name: str) -> None:
    config = ModelConfig.named(name)
    without = PROJECTIONS if config.design == "imagenet" and not config.residual else 0
    assert parameters(skeleton(name)) == PARAMETERS[config.depth] - without


@pytest.mark.parametrize("depth", CIFAR_DEPTHS)
def test_the_cifar_nets_have_the_parameters_of_a_sum_done_by_hand(depth: int) -> None:
    """6n + 2 layers: 1 of 3→16, 2n of 16→16, one of 16→32, 2n-1 of 32→32, one of 32→64, 2n-1 of 64→64; 64→10."""
    n = (depth - 2) // 6
    pairs = [(3, 16)] + [(16, 16)] * 2 * n + [(16, 32)] + [(32, 32)] * (2 * n - 1) + [(32, 64)] + [(64, 64)] * (2 * n - 1)
    convolutions = sum(9 * channels_in * channels_out for channels_in, channels_out in pairs)
    normalizations = sum(2 * channels_out for _, channels_out in pairs)
    assert len(pairs) + 1 == depth
    assert parameters(skeleton(f"resnet{depth}")) == convolutions + normalizations + (64 * 10 + 10)


@pytest.mark.parametrize(
    ("depth", "millions"), [(20, "0.27"), (32, "0.46"), (44, "0.66"), (56, "0.85"), (110, "1.7"), (1202, "19.4")]
)
def test_parameters_round_to_those_of_table_6(depth: int, millions: str) -> None:
    decimals = len(millions.partition(".")[2])
    assert f"{parameters(skeleton(f'resnet{depth}')) / 1e6:.{decimals}f}" == millions


@pytest.mark.parametrize("depth", [20, 56])
def test_option_b_adds_two_projections_and_their_normalizations(depth: int) -> None:
    added = parameters(skeleton(f"resnet{depth}", shortcut="B")) - parameters(skeleton(f"resnet{depth}"))
    assert added == (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64)


@pytest.mark.parametrize("depth", [18, 34])
def test_option_a_costs_an_imagenet_net_no_parameters(depth: int) -> None:
    """Table 2: 'they have no extra parameter compared to their plain counterparts'."""
    assert parameters(skeleton(f"resnet{depth}", shortcut="A")) == parameters(skeleton(f"plain{depth}"))


# --- Multiply-adds: of convolutions and classifier, additions of shortcuts and normalization not counted ----


@pytest.mark.parametrize("kind", ["resnet", "plain"])
def test_multiply_adds_of_a_cifar_net_are_those_of_a_sum_done_by_hand(kind: str) -> None:
    """ResNet-20, 32×32: each layer is 9 · in · out · positions, with 1,024, 256 and 64 positions."""
    stem = 9 * 3 * 16 * 1024
    first = 6 * 9 * 16 * 16 * 1024
    second = 9 * 16 * 32 * 256 + 5 * 9 * 32 * 32 * 256
    third = 9 * 32 * 64 * 64 + 5 * 9 * 64 * 64 * 64
    assert cost(ModelConfig.named(f"{kind}20"), 32).multiply_adds == stem + first + second + third + 640 == 40_551_040


@pytest.mark.parametrize(
    ("depth", "billions", "printed"),
    [(18, 1.8, "1.8"), (34, 3.6, "3.6"), (50, 3.8, "3.9"), (101, 7.6, "7.6"), (152, 11.3, "11.3")],
)
def test_multiply_adds_agree_with_table_1_by_the_papers_own_convention(depth: int, billions: float, printed: str) -> None:
    """Stride in the first 1×1 of a bottleneck; option A for 18 and 34 (Table 2's nets), B for the deeper (Table 3's).

    All but one round to the printed figure. ResNet-50 has 3.86 and the paper prints 3.8: within 2 %.
    """
    shortcut = "A" if depth < 50 else "B"
    counted = cost(ModelConfig.named(f"resnet{depth}", stride_in="1x1", shortcut=shortcut), 224).multiply_adds / 1e9
    assert f"{counted:.1f}" == printed
    assert abs(counted / billions - 1) < 0.02


@pytest.mark.parametrize(("depth", "expected"), [(50, 4_089_184_256), (101, 7_801_405_440), (152, 11_513_626_624)])
def test_striding_in_the_3x3_costs_the_same_more_at_every_depth(depth: int, expected: int) -> None:
    """v1.5, torchvision's: ResNet-50 has 4.09·10⁹.

    The first 1×1 of conv3_x, conv4_x and conv5_x works before the stride, on four times the positions: three
    times in · out · positions more, 77,070,336 in each of the three.
    """
    newer = cost(ModelConfig.named(f"resnet{depth}"), 224).multiply_adds
    older = cost(ModelConfig.named(f"resnet{depth}", stride_in="1x1"), 224).multiply_adds
    assert newer == expected
    assert newer - older == 3 * (256 * 128 * 28**2 + 512 * 256 * 14**2 + 1024 * 512 * 7**2) == 231_211_008


# --- torchvision --------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", IMAGENET_STAGES)
def test_logits_equal_torchvisions_to_the_last_bit(depth: int) -> None:
    """Same names, same shapes, same weights, same answers; running statistics are drawn too, so that they count."""
    generator = torch.Generator().manual_seed(depth)
    ours = build(ModelConfig.named(f"resnet{depth}"), seed=depth).eval()
    for name, buffer in ours.named_buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.8, 1.2, generator=generator) if name.endswith("var") else buffer.normal_(generator=generator)
    with torch.device("meta"):
        theirs = getattr(torchvision.models, f"resnet{depth}")()
    assert set(ours.state_dict()) == set(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict(), assign=True)
    pictures = torch.randn(2, 3, 64, 64, generator=generator)
    with torch.no_grad():
        answers = ours(pictures)
        assert torch.equal(answers, theirs.eval()(pictures))
    assert torch.isfinite(answers).all() and float(answers.std()) > 1e-3


# --- Plain and residual are twins --------------------------------------------------------------------


@pytest.mark.parametrize("depth", CIFAR_DEPTHS[:-1])
def test_a_plain_net_has_its_residual_twins_keys_and_initial_weights(depth: int) -> None:
    plain = build(ModelConfig.named(f"plain{depth}"), seed=5).state_dict()
    residual = build(ModelConfig.named(f"resnet{depth}"), seed=5).state_dict()
    assert list(plain) == list(residual)
    assert all(torch.equal(plain[name], residual[name]) for name in plain)


@pytest.mark.parametrize("name", ["20", "18"])
def test_with_option_b_too_the_shared_layers_start_equal(name: str) -> None:
    plain = build(ModelConfig.named(f"plain{name}"), seed=5).state_dict()
    residual = build(ModelConfig.named(f"resnet{name}", shortcut="B"), seed=5).state_dict()
    assert {key for key in residual if "downsample" not in key} == set(plain)
    assert all(torch.equal(plain[key], residual[key]) for key in plain)


def test_twins_with_the_same_weights_give_different_answers() -> None:
    """The switch does something: otherwise the lab would compare a network with itself."""
    picture = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain, residual = (build(ModelConfig.named(f"{kind}8"), seed=5).eval()(picture) for kind in ("plain", "resnet"))
    assert (plain - residual).abs().max() > 0.01


# --- Initialization ----------------------------------------------------------------------------------


def test_another_seed_gives_other_weights_and_the_same_seed_the_same() -> None:
    first, again, other = (build(ModelConfig.named("resnet8"), seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_building_a_network_leaves_the_global_random_numbers_alone() -> None:
    before = torch.random.get_rng_state()
    build(ModelConfig.named("resnet20"), seed=3)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_convolutions_start_with_variance_2_over_fan_in() -> None:
    """Section 3.4. The seed is fixed; the odds that another seed raises a false alarm are below 1 in 100,000.

    The variance of m normal numbers deviates by a share of sqrt(2 / m). Each of ResNet-20's 19 convolutions is
    allowed 5.5 of these, and its mean 5.5 standard errors: 38 checks, each false in at most 4 of 10 million draws
    (the smallest layer, m = 432, whose variance has the widest tail).
    """
    model = build(ModelConfig.named("resnet20"), seed=0)
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == 19
    for layer in convolutions:
        weights = layer.weight.detach().double()
        fan_in = layer.in_channels * 9
        assert abs(float(weights.var()) * fan_in / 2 - 1) < 5.5 * math.sqrt(2 / weights.numel())
        assert abs(float(weights.mean())) < 5.5 * math.sqrt(2 / fan_in / weights.numel())


def test_everything_else_starts_at_its_neutral_value() -> None:
    model = build(ModelConfig.named("resnet20"), seed=0)
    bound = 1 / math.sqrt(64)
    weights = model.fc.weight.detach()
    assert float(weights.abs().max()) <= bound
    assert float(weights.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1)  # 640 numbers: 0.1 is 5.7 deviations
    assert not model.fc.bias.any()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert (layer.weight == 1).all() and (layer.bias == 0).all()
            assert layer.running_mean is not None and not layer.running_mean.any()
            assert layer.running_var is not None and (layer.running_var == 1).all()


# --- Shapes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "maps"),
    [
        ("resnet20", 32, (32, 16, 8)),
        ("plain20", 16, (16, 8, 4)),
        ("resnet18", 224, (56, 28, 14, 7)),
        ("resnet50", 64, (16, 8, 4, 2)),
    ],
)
def test_maps_have_the_sizes_of_table_1_and_section_4_2(name: str, size: int, maps: tuple[int, ...]) -> None:
    model = skeleton(name)
    x = model.stem(torch.empty(1, 3, size, size, device="meta"))
    for stage, side in zip(model.stages.values(), maps, strict=True):
        x = stage(x)
        assert x.shape[-2:] == (side, side)
    assert model.head(x).shape == (1, model.config.classes)


def test_a_network_without_batch_normalization_has_biases_instead() -> None:
    model = build(ModelConfig.named("resnet8", batch_norm=False), seed=0)
    assert not [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    biases = [layer.bias for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert len(biases) == 7
    assert all(bias is not None and not bias.any() for bias in biases)
    assert torch.isfinite(model(torch.ones(2, 3, 32, 32))).all()
