"""The layer is torch's, and the form of it for compiled networks computes the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from resnet_demo.training.compiled_batch_norm import CompiledBatchNorm2d


def pictures(kind: torch.dtype = torch.float32) -> Tensor:
    """Maps whose mean is far from 0, as large as their deviation and more."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(6, 5, 7, 4, generator=generator) * torch.arange(1.0, 6).view(1, -1, 1, 1) + 8
    return x.to(kind, memory_format=torch.channels_last).requires_grad_()


def both() -> tuple[nn.BatchNorm2d, CompiledBatchNorm2d]:
    """Torch's layer and ours, with equal parameters other than those that they begin with."""
    torchs, ours = nn.BatchNorm2d(5), CompiledBatchNorm2d(5)
    for layer in (torchs, ours):
        with torch.no_grad():
            layer.weight.copy_(torch.linspace(0.5, 2, 5))
            layer.bias.copy_(torch.linspace(-1, 1, 5))
    return torchs, ours


def compiled(layer: nn.BatchNorm2d) -> Callable[[Tensor], Tensor]:
    """The layer as torch.compile takes it apart, run by torch's own operations: this needs no C++ compiler."""
    torch.compiler.reset()
    return cast("Callable[[Tensor], Tensor]", torch.compile(layer, backend="aot_eager", dynamic=False))


def learnt(layer: nn.BatchNorm2d, forward: Callable[[Tensor], Tensor], x: Tensor) -> dict[str, Tensor]:
    """All that a step leaves behind."""
    y = forward(x)
    (y.float() * torch.arange(float(y.numel())).view(y.shape).cos()).sum().backward()
    gradients = {name: parameter.grad for name, parameter in (("x", x), *layer.named_parameters())}
    assert all(gradient is not None for gradient in gradients.values())
    buffers = {f"new {name}": buffer.clone() for name, buffer in layer.named_buffers()}
    return {"y": y.detach(), **buffers, **{name: cast("Tensor", gradient) for name, gradient in gradients.items()}}


def test_where_nothing_is_compiled_the_layer_is_torchs_to_the_last_bit() -> None:
    torchs, ours = (learnt(layer, layer, pictures()) for layer in both())
    assert torchs.keys() == ours.keys()
    assert all(torch.equal(torchs[name], ours[name]) for name in torchs)
    assert ours["new num_batches_tracked"] == 1


def test_what_is_compiled_computes_the_same_values_gradients_and_statistics() -> None:
    torchs, ours = both()
    wanted = learnt(torchs, torchs, pictures())
    found = learnt(ours, compiled(ours), pictures())
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(
            found[name], wanted[name], rtol=1e-4, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
        )  # type: ignore[misc]
    assert not torch.equal(found["y"], wanted["y"]), "it was torch's layer again"


def test_in_bf16_it_is_as_near_to_fp32_as_torchs_layer_is() -> None:
    (torchs_layer, ours_layer), (reference, _) = both(), both()
    exact = learnt(reference, reference, pictures(torch.bfloat16).detach().float().requires_grad_())
    torchs = learnt(torchs_layer, torchs_layer, pictures(torch.bfloat16))
    ours = learnt(ours_layer, compiled(ours_layer), pictures(torch.bfloat16))
    assert ours["y"].dtype == ours["x"].dtype == torch.bfloat16
    for name in exact:
        off, torchs_off = (float((found[name].float() - exact[name]).abs().max()) for found in (ours, torchs))
        assert off <= 1.1 * torchs_off + 1e-4, name


def test_a_network_that_does_not_learn_uses_the_statistics_it_has_gathered() -> None:
    torchs, ours = (layer.eval() for layer in both())
    assert torch.equal(compiled(ours)(pictures()), torchs(pictures()))
