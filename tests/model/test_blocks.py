"""The building blocks, with numbers small enough to work out by hand."""

from __future__ import annotations

import ast
import inspect
from typing import Any, Literal

import pytest
import torch
from torch import nn

from resnet_demo.config import ModelConfig
from resnet_demo.model import blocks, resnet
from resnet_demo.model.blocks import BasicBlock, Bottleneck, ZeroPadding, no_norm

KINDS: list[type[BasicBlock] | type[Bottleneck]] = [BasicBlock, Bottleneck]


def tiny(
    kind: Any = BasicBlock, *, residual: bool, channels: int = 1, stride: int = 1, shortcut: Literal["A", "B"] = "A"
) -> Any:
    """A block of width 1 whose 3×3 filters look at the middle pixel only: every weight is set by the test."""
    config = ModelConfig(residual=residual, shortcut=shortcut, batch_norm=False)
    block = kind(channels, 1, stride, config, no_norm)
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return block.requires_grad_(False)


def middle(layer: nn.Conv2d, weight: float, bias: float = 0.0) -> None:
    layer.weight[0, 0, layer.kernel_size[0] // 2, layer.kernel_size[1] // 2] = weight
    assert layer.bias is not None
    layer.bias[0] = bias


X = torch.tensor([[[[1.0, -2.0], [3.0, -4.0]]]])


@pytest.mark.parametrize(
    ("residual", "expected"),
    [
        # F(x) = 3 relu(2x - 1) - 4: of 1, -2, 3, -4 that is -1, -4, 11, -4.
        (False, [[0.0, 0.0], [11.0, 0.0]]),  # relu(F(x))
        (True, [[0.0, 0.0], [14.0, 0.0]]),  # relu(F(x) + x) = relu(0, -6, 14, -8)
    ],
)
def test_a_basic_block_computes_what_equation_1_says(residual: bool, expected: list[list[float]]) -> None:
    block = tiny(residual=residual)
    middle(block.conv1, 2, -1)
    middle(block.conv2, 3, -4)
    assert block(X).tolist() == [[expected]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_shortcut_scaled_by_alpha_adds_alpha_x_between_the_plain_block_and_the_papers(kind: Any) -> None:
    blocks = {}
    for alpha in (0.0, 0.5, 1.0):
        config = ModelConfig(shortcut_scale=alpha, shortcut="B")
        torch.manual_seed(0)
        blocks[alpha] = kind(4, 2, 2, config, nn.BatchNorm2d).eval()
    torch.manual_seed(0)
    plain = kind(4, 2, 2, ModelConfig(residual=False), nn.BatchNorm2d).eval()
    x = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    half = blocks[0.5]
    assert torch.equal(half(x), torch.relu(half.F(x) + 0.5 * half.downsample(x)))
    assert torch.equal(blocks[1.0](x), torch.relu(half.F(x) + half.downsample(x)))
    plain.load_state_dict({name: tensor for name, tensor in half.state_dict().items() if "downsample" not in name})
    assert torch.equal(blocks[0.0](x), torch.relu(half.F(x))) and torch.equal(plain(x), torch.relu(half.F(x)))


def test_a_bottleneck_reduces_works_and_restores() -> None:
    """F(x) = W3 relu(W2 relu(W1 x)): 1 -> 2·1 -> 3·2 + 1 = 7 -> 7 times 1, 10, 100, 1000, plus the shortcut."""
    block = tiny(Bottleneck, residual=True, channels=4)
    middle(block.conv1, 2)
    middle(block.conv2, 3, 1)
    block.conv3.weight[:, 0, 0, 0] = torch.tensor([1.0, 10.0, 100.0, 1000.0])
    x = torch.tensor([1.0, 0.5, -0.5, 0.0]).view(1, 4, 1, 1)
    assert block(x).flatten().tolist() == [8.0, 70.5, 699.5, 7000.0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_residual_block_whose_layers_say_nothing_passes_its_input_on(kind: Any) -> None:
    """Section 3.1: if the identity is best, the layers need only go to zero. A plain block then loses its input."""
    x = torch.rand(2, kind.expansion, 5, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(tiny(kind, residual=True, channels=kind.expansion)(x), x)
    assert torch.equal(tiny(kind, residual=False, channels=kind.expansion)(x), torch.zeros_like(x))


def test_option_a_takes_every_second_position_and_adds_channels_of_zeros() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4)
    y = ZeroPadding(1, 3, 2)(x)
    assert y.tolist() == [[[[0.0, 2.0], [8.0, 10.0]], [[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]]
    assert list(ZeroPadding(1, 3, 2).parameters()) == []


def test_option_b_projects_by_a_strided_1x1_convolution() -> None:
    block = tiny(residual=True, channels=2, stride=2, shortcut="B")
    block.downsample[0].weight[0, :, 0, 0] = torch.tensor([10.0, 1.0])
    x = torch.arange(8.0).view(1, 2, 2, 2)  # the first position of the channels is 0 and 4
    assert block(x).tolist() == [[[[4.0]]]]


@pytest.mark.parametrize(("stride_in", "strides"), [("1x1", (2, 1, 1)), ("3x3", (1, 2, 1))])
def test_a_bottleneck_strides_where_it_is_told_to(stride_in: Literal["1x1", "3x3"], strides: tuple[int, int, int]) -> None:
    block = Bottleneck(8, 2, 2, ModelConfig(shortcut="B", stride_in=stride_in), nn.BatchNorm2d)
    assert tuple(conv.stride[0] for conv in (block.conv1, block.conv2, block.conv3)) == strides
    assert block(torch.zeros(1, 8, 6, 6)).shape == (1, 8, 3, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("residual", [True, False])
def test_a_hook_sees_the_values_before_the_activation_and_they_stay_so(kind: Any, residual: bool) -> None:
    """Half of a normalized response is negative; an in-place relu or addition would have changed what the hook was given."""
    block = kind(4, 4 // kind.expansion, 1, ModelConfig(residual=residual), nn.BatchNorm2d)
    seen: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}

    def remember(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
            seen[name] = (output, output.detach().clone())

        return hook

    for name, module in block.named_children():
        module.register_forward_hook(remember(name))
    x = torch.randn(8, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    before = x.clone()
    output = block(x)
    assert len(seen) == 2 * (3 if kind is Bottleneck else 2)
    assert torch.equal(x, before)
    for name, (afterwards, given) in seen.items():
        assert torch.equal(afterwards, given), name
        if name.startswith("bn"):
            assert 0.3 < (given < 0).float().mean() < 0.7, name
    last = seen["bn3" if kind is Bottleneck else "bn2"][0]
    assert torch.equal(output, torch.relu(last + x) if residual else torch.relu(last))


@pytest.mark.parametrize("module", [blocks, resnet])
def test_forward_passes_are_written_without_in_place_operations(module: Any) -> None:
    """No `x += y`, no `inplace=True`, no method that ends in an underscore, in any forward pass (initialization may)."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ClassDef):
            for part in ast.walk(node):
                assert not isinstance(part, ast.AugAssign) and not (isinstance(part, ast.keyword) and part.arg == "inplace")
                if isinstance(part, ast.Attribute):
                    assert part.attr.startswith("__") or not part.attr.endswith("_"), part.attr
