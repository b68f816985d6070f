"""Where a network looked. The only file that imports Captum.

Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391) weights a stage's maps by how much the class's logit grows
with each of them, and sums. `classify` has kept every stage's output, so only the layers behind that stage run
again, in a small module made for the request: nothing is ever hooked onto the shared model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy
import torch
from captum.attr import LayerGradCam
from numpy.typing import NDArray
from torch import Tensor, nn

from resnet_demo.errors import SettingError
from resnet_demo.inference.classify import Answer


@dataclass(frozen=True)
class Stage:
    """A place in the network that a map can be made for; `size` is the height and width of its maps."""

    name: str
    title: str
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Map:
    """How much each place of the picture speaks for a class.

    Args:
        values: (h, w) float32, signed, as the method gives them.
        stage: whose maps; "input" for the methods that look at pixels.
        target: the explained class.
        method: "grad-cam", …
    """

    values: NDArray[numpy.float32]
    stage: Stage
    target: int
    method: str

    @property
    def positive(self) -> NDArray[numpy.float32]:
        """What speaks for the class, the largest value scaled to 1; all zero where nothing does."""
        return _scaled(numpy.maximum(self.values, 0))

    @property
    def signed(self) -> NDArray[numpy.float32]:
        """What speaks for and against the class, the largest magnitude scaled to 1."""
        return _scaled(self.values)

    @property
    def is_zero(self) -> bool:
        """Nothing in this map speaks for the class."""
        return not bool((self.values > 0).any())


def _scaled(values: NDArray[numpy.float32]) -> NDArray[numpy.float32]:
    largest = float(numpy.abs(values).max())
    return (values / largest).astype(numpy.float32) if largest > 0 else numpy.zeros_like(values)


def stages(answer: Answer) -> tuple[Stage, ...]:
    """The stages that a map can be made for, first to last."""
    return tuple(
        Stage(name, f"Stage {number}", (activation.shape[2], activation.shape[3]))
        for number, (name, activation) in enumerate(answer.activations.items(), start=1)
    )


class _Tail(nn.Module):
    """The layers behind one stage, which `features` stands for: Captum hooks this module, made for one request."""

    def __init__(self, rest: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.features = nn.Identity()
        self.rest = rest  # a function, so that the shared model does not become a part of this module

    def forward(self, x: Tensor) -> Tensor:
        return self.rest(self.features(x))


def grad_cam(answer: Answer, stage: str, target: int, contrast: int | None = None) -> Map:
    """The Grad-CAM of one stage, before relu and scaling.

    Args:
        answer: what the network made of the picture.
        stage: "layer1", …
        target: index of the class to explain.
        contrast: explain why `target` rather than this class: the difference of the two logits.

    Raises:
        SettingError: no such stage or class.
    """
    where = _stage(answer, stage)
    for index in (target, contrast):
        _refuse_unknown_class(answer, index)
    model = answer.weights.model
    names = list(answer.activations)
    later = [model.stages[name] for name in names[names.index(stage) + 1 :]]

    def score(x: Tensor) -> Tensor:
        for layers in later:
            x = layers(x)
        logits = model.head(x)
        return logits[:, target] if contrast is None else logits[:, target] - logits[:, contrast]

    tail = _Tail(score)
    with torch.enable_grad():
        features = answer.activations[stage].detach().requires_grad_()
        cam = LayerGradCam(tail, tail.features).attribute(features)
    return Map(cam[0, 0].detach().float().cpu().numpy(), where, target, "grad-cam")


def all_stages(answer: Answer, target: int, contrast: int | None = None) -> tuple[Map, ...]:
    """The Grad-CAM of every stage, first to last."""
    return tuple(grad_cam(answer, stage.name, target, contrast) for stage in stages(answer))


def _stage(answer: Answer, name: str) -> Stage:
    for stage in stages(answer):
        if stage.name == name:
            return stage
    raise SettingError(f"{answer.weights.name} has no stage {name!r}: say {' or '.join(answer.activations)}.")


def _refuse_unknown_class(answer: Answer, index: int | None) -> None:
    if index is not None and not 0 <= index < len(answer.probabilities):
        raise SettingError(
            f"{answer.weights.name} has no class number {index}: its classes are 0 to {len(answer.probabilities) - 1}."
        )
