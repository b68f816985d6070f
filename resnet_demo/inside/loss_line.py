"""Li et al. 2018: the loss of a trained network along a random direction whose filters are as long as the network's own."""

from __future__ import annotations

import copy
from concurrent.futures import Executor

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from resnet_demo.evaluation.threads import one_processor_each
from resnet_demo.inside.context import Context
from resnet_demo.inside.lesions import CHANCE
from resnet_demo.inside.outcome import Line, Outcome, Panel
from resnet_demo.inside.request import InsideRequest
from resnet_demo.inside.sample import PART, Sample, sample
from resnet_demo.model.resnet import ResNet
from resnet_demo.zoo.catalogue import title_of
from resnet_demo.zoo.folder import Weights

DISTANCES = tuple(round(-1 + n / 10, 1) for n in range(21))
HIGHEST = 5.0
"""The loss at which the figure is cut off; chance is 2.30."""
DESCRIPTION = "Mean cross-entropy on 250 test pictures of CIFAR-10 that ship"
"""Of `pictures_of`."""


def direction(model: ResNet, seed: int) -> dict[str, Tensor]:
    """A random direction: each filter is as long as the model's own; biases and batch normalization stay (0)."""
    generator = torch.Generator().manual_seed(seed)
    result = {}
    for name, parameter in model.named_parameters():
        weight = parameter.detach().cpu()
        if weight.dim() < 2:
            result[name] = torch.zeros_like(weight)
            continue
        draw = torch.randn(weight.shape, generator=generator)
        norms = [tensor.flatten(1).norm(dim=1) for tensor in (weight, draw)]
        result[name] = draw * (norms[0] / norms[1]).view(-1, *[1] * (weight.dim() - 1))
    return result


def moved(model: ResNet, way: dict[str, Tensor], distance: float) -> ResNet:
    """A copy of the model, moved along the direction; the model itself is unchanged."""
    result = copy.deepcopy(model)
    with torch.no_grad():
        for name, parameter in result.named_parameters():
            parameter.add_(way[name].to(parameter.device), alpha=distance)
    return result


def pictures_of(weights: Weights) -> Sample:
    """Every second picture of the sample. Raises like `sample`."""
    pictures = sample(weights)
    return Sample(pictures.inputs[::2], pictures.labels[::2])


def mean_loss(network: ResNet, pictures: Sample, pool: Executor, context: Context) -> float:
    """The mean cross-entropy on the pictures, in the threads of a pool.

    Raises:
        ExperimentCancelled: the result is no longer wanted.
    """

    def total(inputs: Tensor, labels: Tensor) -> float:
        context.check()
        with torch.no_grad():
            return float(cross_entropy(network(inputs), labels.to(network.device), reduction="sum"))

    return sum(pool.map(total, pictures.inputs.split(PART), pictures.labels.split(PART))) / len(pictures.labels)


def losses(model: ResNet, pictures: Sample, seed: int, context: Context) -> list[float]:
    """The mean cross-entropy on the pictures at each of DISTANCES."""
    way = direction(model, seed)
    with one_processor_each() as pool:
        return [mean_loss(moved(model, way, distance), pictures, pool, context) for distance in DISTANCES]


def run(request: InsideRequest, context: Context) -> Outcome:
    """The experiment, on one network or two."""
    lines, sentences = [], []
    for name in request.models:
        weights, title = context.load(name), title_of(name)
        context.say(f"Measuring the loss of {title} at {len(DISTANCES)} points.")
        values = losses(weights.model, pictures_of(weights), request.seed, context)
        lines.append(Line(title, weights.model.config.kind, tuple(zip(DISTANCES, values, strict=True)), marks=True))
        at = dict(zip(DISTANCES, values, strict=True))
        sentences.append(
            f"The loss of {title} is {at[0.0]:.2f}, and {at[-0.3]:.2f} and {at[0.3]:.2f} where every filter has moved by 0.3 of its length."
        )
    chance = float(torch.tensor(100 / CHANCE).log())
    panel = Panel(
        "Loss along a random direction", x="distance, in lengths of the filters", y="cross-entropy", lines=tuple(lines), wide=True,
        limits=(0, HIGHEST), levels=((chance, "chance"),),
    )  # fmt: skip
    conditions = (
        f"{DESCRIPTION}. Each filter of the direction, seed {request.seed}, is random "
        "and as long as the filter of the network; biases and batch normalization stay. "
        f"The figure is cut off at {HIGHEST:g}; the CSV file is not."
    )
    return Outcome(" ".join(sentences), conditions, (panel,))
