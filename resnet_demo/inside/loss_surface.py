"""Li et al. 2018: the loss of a trained network on a plane through its weights, with the directions of `loss_line`.

`python -m resnet_demo.inside.loss_surface` computes the surfaces of PAIRS, which ship.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

from resnet_demo.evaluation.forward import fused
from resnet_demo.evaluation.threads import one_processor_each
from resnet_demo.inside.context import Context
from resnet_demo.inside.loss_line import DESCRIPTION, direction, mean_loss, pictures_of
from resnet_demo.inside.outcome import Outcome, Panel
from resnet_demo.inside.request import InsideRequest
from resnet_demo.inside.sample import Sample
from resnet_demo.inside.stored_outcomes import SHIPPED, StoredOutcomes
from resnet_demo.model.resnet import ResNet
from resnet_demo.words import duration
from resnet_demo.zoo import catalogue, folder
from resnet_demo.zoo.catalogue import title_of
from resnet_demo.zoo.folder import Weights

SIDE = 15
"""Points on each side of the plane, an odd number: the network itself is among them."""
PAIRS = (("resnet20-cifar10", "plain20-cifar10"), ("resnet56-cifar10", "plain56-cifar10"))
"""The networks whose surfaces ship, with seed 0."""
LOW = 1.0
"""The loss up to which a place counts as low."""
SECOND_SEED = 1000
"""Added to the seed for the second direction."""


def distances(side: int = SIDE) -> tuple[float, ...]:
    """From −1 to 1, equally far from each other."""
    return tuple(round(2 * number / (side - 1) - 1, 4) for number in range(side))


def losses(model: ResNet, pictures: Sample, seed: int, context: Context, title: str = "the network") -> list[float]:
    """The mean cross-entropy at each place of the plane, row by row; the first direction runs along a row.

    Batch normalization is part of the convolutions here (`fused`), which multiplies filters and directions alike.
    """
    network = fused(model)
    start = {name: parameter.clone() for name, parameter in network.named_parameters()}
    ways = [
        {name: step.to(model.device) for name, step in direction(network, one).items()} for one in (seed, seed + SECOND_SEED)
    ]
    result: list[float] = []
    count, start_time = len(distances()) ** 2, time.monotonic()
    with one_processor_each() as pool:
        for second in distances():
            for first in distances():
                left = (time.monotonic() - start_time) / max(len(result), 1) * (count - len(result))
                remaining = f"; about {duration(left)} left" if len(result) >= len(distances()) else ""
                context.say(f"{title}: the loss at place {len(result) + 1} of {count}{remaining}.")
                for name, parameter in network.named_parameters():  # `fused` takes no gradients
                    parameter.copy_(start[name] + first * ways[0][name] + second * ways[1][name])
                result.append(round(mean_loss(network, pictures, pool, context), 4))
    return result


def run(request: InsideRequest, context: Context) -> Outcome:
    """The experiment, on one network or two."""
    panels, sentences = list[Panel](), list[str]()
    for name in request.models:
        weights, title = context.load(name), title_of(name)
        heights = losses(weights.model, pictures_of(weights), request.seed, context, title)
        panels.append(
            Panel(
                title, form="map", x="first direction", y="second direction", kind=weights.model.config.kind, axis=distances(),
                heights=tuple(heights),
            )
        )  # fmt: skip
        low = sum(height <= LOW for height in heights) / len(heights)
        sentences.append(
            f"The loss of {title} is {heights[len(heights) // 2]:.2f}, and at most {LOW:g} on {100 * low:.0f} % of the plane."
        )
    everywhere = [height for panel in panels for height in panel.heights]
    limits = (min(everywhere), max(everywhere))
    conditions = (
        f"{DESCRIPTION}, at {SIDE} × {SIDE} places up to the filters' own lengths away. "
        f"Both directions, seed {request.seed}, are random, with filters as long as the network's; biases and batch normalization stay. "
        "Strong colour is low, on a logarithmic scale that all maps share; the lines are at round losses."
    )
    return Outcome(" ".join(sentences), conditions, tuple(replace(panel, limits=limits) for panel in panels))


def main() -> None:
    """Compute the surfaces that ship."""

    def load(name: str) -> Weights:
        place = catalogue.find(name)
        assert place is not None, name
        return folder.load(place)

    context = Context(load, lambda sentence: sys.stderr.write(f"{sentence}\n"), lambda: False)
    for model, second in PAIRS:
        request = InsideRequest(experiment="surface", model=model, second=second)
        StoredOutcomes(SHIPPED).put(request, run(request, context))


if __name__ == "__main__":
    main()
