"""Which parts of a picture an answer depends on. The only file that imports Captum.

Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391) weights each feature map of a stage by the gradient of the class's
logit with respect to it, and sums the maps. An `Answer` holds the output of every stage in its graph, so no layer runs
again and the shared model gets no hooks; for the last stage, the gradient is that of pooling and classifier alone.

The methods of `attribute` reach the picture itself, single pixels or (Occlusion) small squares, and take seconds.
They only call the shared model and need no copy of it: guided backpropagation replaces relu for the calling thread, not
in the network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy
import torch
import torch.nn.functional as F
from captum.attr import IntegratedGradients, Occlusion
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from resnet_demo.errors import SettingError
from resnet_demo.inference.classify import Answer, classify
from resnet_demo.inference.guided_backpropagation import guided_gradient
from resnet_demo.zoo.folder import Weights

Method = Literal["guided-grad-cam", "integrated-gradients", "occlusion"]

STEPS = 50
"""Points on the path of Integrated Gradients; the paper (Sundararajan et al. 2017) finds 20 to 300 enough."""

STEPS_AT_ONCE = 5
WINDOWS_AT_ONCE = 7


class Cancelled(Exception):
    """The caller cancelled the attribution."""


@dataclass(frozen=True)
class Stage:
    """A stage of the network that has a map; `size` is the map's height and width."""

    name: str
    title: str
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Map:
    """How much each place of the picture supports a class.

    Args:
        values: (h, w) float32, signed, before scaling.
        stage: the stage of a Grad-CAM; "input" for the methods that attribute to pixels.
        target: index of the explained class.
        method: "grad-cam", …
    """

    values: NDArray[numpy.float32]
    stage: Stage
    target: int
    method: str

    @property
    def positive(self) -> NDArray[numpy.float32]:
        """The support for the class, the largest value scaled to 1; all zero where there is none."""
        return _scaled(numpy.maximum(self.values, 0))

    @property
    def signed(self) -> NDArray[numpy.float32]:
        """The support for and (negative) against the class, the largest magnitude scaled to 1."""
        return _scaled(self.values)

    @property
    def is_zero(self) -> bool:
        """Whether nothing in this map supports the class."""
        return not bool((self.values > 0).any())


def _scaled(values: NDArray[numpy.float32]) -> NDArray[numpy.float32]:
    largest = float(numpy.abs(values).max())
    return (values / largest).astype(numpy.float32) if largest > 0 else numpy.zeros_like(values)


def stages(answer: Answer) -> tuple[Stage, ...]:
    """The stages that have a Grad-CAM, first to last."""
    return tuple(
        Stage(name, f"Stage {number}", (activation.shape[2], activation.shape[3]))
        for number, (name, activation) in enumerate(answer.activations.items(), start=1)
    )


def grad_cam(answer: Answer, stage: str, target: int, contrast: int | None = None) -> Map:
    """The Grad-CAM of one stage, before relu and scaling.

    Args:
        answer: the network's answer about the picture.
        stage: "layer1", …
        target: index of the class to explain.
        contrast: explain the logit of `target` minus that of this class.

    Raises:
        SettingError: no such stage or class.
    """
    (cam,) = grad_cams(answer, (stage,), target, contrast)
    return cam


def grad_cams(answer: Answer, names: Iterable[str], target: int, contrast: int | None = None) -> tuple[Map, ...]:
    """The Grad-CAM of each of these stages, in their order and in one backward pass: as `grad_cam` for each. Raises like it."""
    explained = [_stage(answer, name) for name in names]
    weighting = torch.zeros_like(answer.logits)  # the gradient of a sum of logits, each times its weight
    for index, weight in ((target, 1), (contrast, -1)):
        _check_class(answer.weights, index)
        if index is not None:
            weighting[index] += weight
    outputs = [answer.activations[stage.name] for stage in explained]
    gradients = torch.autograd.grad(answer.logits, outputs, weighting, retain_graph=True) if outputs else ()
    maps = []
    for stage, output, gradient in zip(explained, outputs, gradients, strict=True):
        cam = (gradient.mean((2, 3), keepdim=True) * output.detach()).sum(1)[0]
        maps.append(Map(cam.float().cpu().numpy(), stage, target, "grad-cam"))
    return tuple(maps)


def attribute(
    weights: Weights,
    picture: Image.Image,
    method: Method,
    target: int,
    *,
    should_cancel: Callable[[], bool] = lambda: False,
    on_progress: Callable[[float], object] = lambda _: None,
) -> Map:
    """How much each pixel of the network's input contributes to a class's logit, summed over the colours.

    - guided-grad-cam (Selvaraju et al. 2017): the last stage's positive Grad-CAM, enlarged, times the gradient of
      guided backpropagation (Springenberg et al. 2015), which passes relu only where it is positive.
    - integrated-gradients (Sundararajan et al. 2017): the gradient integrated along the straight line from an input of
      the mean colour. The map's sum is the difference of the two logits.
    - occlusion (Zeiler and Fergus 2014): how far the logit falls when a window of a quarter of the side, moved by
      an eighth of it, is filled with the mean colour.

    Args:
        weights: the network, which is not changed.
        picture: RGB, of any size.
        method: which of the three.
        target: index of the class.
        should_cancel: called before each forward pass.
        on_progress: called with the share that is done, 0 to 1, before each forward pass and at the end.

    Raises:
        Cancelled: `should_cancel` returned true.
        SettingError: no such class or method.
    """
    _check_class(weights, target)
    if method not in get_args(Method):
        raise SettingError(f"There is no method {method!r}: say {', '.join(get_args(Method))}.")
    x = weights.preprocessing(picture).to(weights.model.device)
    side = x.shape[-1]
    score = _Score(weights.model, target, _passes(method, side), should_cancel, on_progress)
    with torch.enable_grad():
        match method:
            case "guided-grad-cam":
                attribution = guided_gradient(score, x) * _enlarged(_last_grad_cam(weights, picture, target), x)
            case "integrated-gradients":
                attribution = _integrated_gradients(score, x)
            case "occlusion":
                attribution = _occlusion(score, x)
    on_progress(1.0)
    values = attribution.sum(1)[0].detach().float().cpu().numpy()
    return Map(values, Stage("input", "Pixels", (side, side)), target, method)


@dataclass
class _Score:
    """The logit of a class, as a function of the input, that reports its progress and can be cancelled.

    Args:
        model: the network.
        target: index of the class.
        passes: how many calls are expected.
        should_cancel: called before each pass.
        on_progress: called before each pass with the share of passes that is done.
    """

    model: nn.Module
    target: int
    passes: int
    should_cancel: Callable[[], bool]
    on_progress: Callable[[float], object]
    calls: int = 0

    def __call__(self, x: Tensor) -> Tensor:
        if self.should_cancel():
            raise Cancelled
        self.on_progress(min(self.calls / self.passes, 1.0))
        self.calls += 1
        logits: Tensor = self.model(x)
        return logits[:, self.target]


def _passes(method: Method, side: int) -> int:
    """Forward passes that a method takes for an input of `side` × `side` pixels."""
    window, stride = _window(side)
    windows = (math.ceil((side - window) / stride) + 1) ** 2
    return {
        "guided-grad-cam": 1,
        "integrated-gradients": math.ceil(STEPS / STEPS_AT_ONCE),
        "occlusion": 1 + math.ceil(windows / WINDOWS_AT_ONCE),
    }[method]


def _window(side: int) -> tuple[int, int]:
    """Side and stride of Occlusion's windows, in pixels."""
    return max(side // 4, 1), max(side // 8, 1)


def _integrated_gradients(score: _Score, x: Tensor) -> Tensor:
    attribution: Tensor = IntegratedGradients(score).attribute(
        x.requires_grad_(), torch.zeros_like(x), n_steps=STEPS, internal_batch_size=STEPS_AT_ONCE
    )
    return attribution


def _occlusion(score: _Score, x: Tensor) -> Tensor:
    window, stride = _window(x.shape[-1])
    with torch.no_grad():
        attribution: Tensor = Occlusion(score).attribute(
            x, (3, window, window), (3, stride, stride), baselines=0, perturbations_per_eval=WINDOWS_AT_ONCE
        )
    return attribution / 3  # Captum gives each of the three colours the whole fall of the logit


def _last_grad_cam(weights: Weights, picture: Image.Image, target: int) -> Map:
    answer = classify(weights, picture)
    return grad_cam(answer, stages(answer)[-1].name, target)


def _enlarged(cam: Map, x: Tensor) -> Tensor:
    """The support for the class, (1, 1, H, W), at the size of x."""
    positive = torch.from_numpy(cam.values).clamp(min=0)[None, None].to(x.device)
    return F.interpolate(positive, x.shape[-2:], mode="bilinear")


def _stage(answer: Answer, name: str) -> Stage:
    for stage in stages(answer):
        if stage.name == name:
            return stage
    raise SettingError(f"{answer.weights.name} has no stage {name!r}: say {' or '.join(answer.activations)}.")


def _check_class(weights: Weights, index: int | None) -> None:
    if index is not None and not 0 <= index < len(weights.classes):
        raise SettingError(f"{weights.name} has no class number {index}: its classes are 0 to {len(weights.classes) - 1}.")
