"""Where a network looked. The only file that imports Captum.

Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391) weights a stage's maps by how much the class's logit grows
with each of them, and sums. `classify` has kept every stage's output, so only the layers behind that stage run
again, in a small module made for the request: nothing is ever hooked onto the shared model.

The methods of `attribute` go back to the picture itself, to single pixels or (Occlusion) small squares, and take
seconds. They too only call the shared model, so that no copy of it is needed: guided backpropagation changes what
relu means for the calling thread, not the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy
import torch
import torch.nn.functional as F
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from resnet_demo.errors import SettingError
from resnet_demo.inference.classify import Answer, classify
from resnet_demo.zoo.folder import Weights

Method = Literal["guided-grad-cam", "integrated-gradients", "occlusion"]

STEPS = 50
"""Points on the path of Integrated Gradients; the paper (Sundararajan et al. 2017) finds 20 to 300 enough."""

STEPS_AT_ONCE = 5
WINDOWS_AT_ONCE = 7


class Cancelled(Exception):
    """Who asked for an attribution no longer wants it."""


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
        _refuse_unknown_class(answer.weights, index)
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
    """The Grad-CAM of every stage, first to last: what `grad_cam` gives for each, in one forward and one backward pass.

    Raises:
        SettingError: no such class.
    """
    _refuse_unknown_class(answer.weights, target)
    _refuse_unknown_class(answer.weights, contrast)
    model = answer.weights.model
    with torch.enable_grad():
        outputs = [next(iter(answer.activations.values())).detach().requires_grad_()]
        for name in list(answer.activations)[1:]:
            outputs.append(model.stages[name](outputs[-1]))
        logits = model.head(outputs[-1])[0]
        gradients = torch.autograd.grad(logits[target] if contrast is None else logits[target] - logits[contrast], outputs)
    maps = []
    for stage, output, gradient in zip(stages(answer), outputs, gradients, strict=True):
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
    """How much each pixel of the square that the network sees speaks for a class's logit, summed over the colours.

    - guided-grad-cam (Selvaraju et al. 2017): the last stage's positive Grad-CAM, enlarged, times the gradient of
      guided backpropagation (Springenberg et al. 2015), which passes relu only where it is positive.
    - integrated-gradients (Sundararajan et al. 2017): the gradient summed up on the straight way from a picture of
      the mean colour. The map's sum is the difference of the two logits.
    - occlusion (Zeiler and Fergus 2014): how far the logit falls when a window of a quarter of the side, moved by
      an eighth, is filled with the mean colour.

    Args:
        weights: the network; it is only read.
        picture: RGB, of any size.
        method: which of the three.
        target: index of the class.
        should_cancel: asked before each step.
        on_progress: told the share that is done, 0 to 1, before each step and at the end.

    Raises:
        Cancelled: `should_cancel` said so.
        SettingError: no such class or method.
    """
    _refuse_unknown_class(weights, target)
    x = weights.preprocessing(picture).to(weights.model.fc.weight.device)
    side, calls = x.shape[-1], 0
    window, stride = max(side // 4, 1), max(side // 8, 1)
    windows = (-(-(side - window) // stride) + 1) ** 2
    steps = {
        "guided-grad-cam": 1,
        "integrated-gradients": -(-STEPS // STEPS_AT_ONCE),
        "occlusion": 1 + -(-windows // WINDOWS_AT_ONCE),
    }

    def score(x: Tensor) -> Tensor:
        nonlocal calls
        if should_cancel():
            raise Cancelled
        on_progress(min(calls / steps[method], 1.0))
        calls += 1
        logits: Tensor = weights.model(x)
        return logits[:, target]

    with torch.enable_grad():
        match method:
            case "guided-grad-cam":
                found = _guided_gradient(score, x) * _enlarged(_last_grad_cam(weights, picture, target), x)
            case "integrated-gradients":
                found = IntegratedGradients(score).attribute(
                    x.requires_grad_(), torch.zeros_like(x), n_steps=STEPS, internal_batch_size=STEPS_AT_ONCE
                )
            case "occlusion":
                with torch.no_grad():
                    found = Occlusion(score).attribute(
                        x, (3, window, window), (3, stride, stride), baselines=0, perturbations_per_eval=WINDOWS_AT_ONCE
                    )
            case _:
                raise SettingError(f"There is no method {method!r}: say {', '.join(get_args(Method))}.")
    on_progress(1.0)
    # Occlusion gives each colour of a pixel the same whole fall of the logit; the others share it out
    values = (found.mean(1) if method == "occlusion" else found.sum(1))[0].detach().float().cpu().numpy()
    return Map(values, Stage("input", "Pixels", (side, side)), target, method)


class _GuidedRelu(torch.autograd.Function):
    """Relu whose gradient passes only where both its input and the gradient are positive."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        y = F.relu(x)
        context.save_for_backward(y)
        return y

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        y: Tensor = context.saved_tensors[0]
        return F.relu(gradients[0]) * (y > 0)


class _GuidedBackpropagation(TorchFunctionMode):
    """While it is open, every relu that this thread calls is a guided one; other threads see nothing of it."""

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        if function in (F.relu, torch.relu):
            return _GuidedRelu.apply(arguments[0])
        return function(*arguments, **(named or {}))


def _guided_gradient(score: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    with _GuidedBackpropagation():
        logit = score(x).sum()
    return torch.autograd.grad(logit, x)[0]


def _last_grad_cam(weights: Weights, picture: Image.Image, target: int) -> Map:
    answer = classify(weights, picture)
    return grad_cam(answer, stages(answer)[-1].name, target)


def _enlarged(cam: Map, x: Tensor) -> Tensor:
    """What speaks for the class, (1, 1, H, W), at the size of x."""
    positive = torch.from_numpy(cam.values).clamp(min=0)[None, None].to(x.device)
    return F.interpolate(positive, x.shape[-2:], mode="bilinear")


def _stage(answer: Answer, name: str) -> Stage:
    for stage in stages(answer):
        if stage.name == name:
            return stage
    raise SettingError(f"{answer.weights.name} has no stage {name!r}: say {' or '.join(answer.activations)}.")


def _refuse_unknown_class(weights: Weights, index: int | None) -> None:
    if index is not None and not 0 <= index < len(weights.classes):
        raise SettingError(f"{weights.name} has no class number {index}: its classes are 0 to {len(weights.classes) - 1}.")
