"""Figure 7 for trained networks: the standard deviation of each layer's response, as paper/layer_responses.py computes it."""

from __future__ import annotations

import copy
import dataclasses
import statistics

import torch

from resnet_demo.evaluation import testset
from resnet_demo.inside.context import Context
from resnet_demo.inside.outcome import Line, Outcome, Panel
from resnet_demo.inside.request import InsideRequest
from resnet_demo.paper.layer_responses import deviations
from resnet_demo.zoo.catalogue import title_of

EVERY = 2


def run(request: InsideRequest, context: Context) -> Outcome:
    """The experiment, on one network or two."""
    in_order, by_size, sentences = [], [], []
    images = torch.cat(list(testset.load("bundled").batches(context.load(request.model).preprocessing)))[::EVERY]
    for name in request.models:
        context.check()
        context.say(f"Measuring the layers of {title_of(name)}.")
        weights = context.load(name)
        own = dataclasses.replace(weights, model=copy.deepcopy(weights.model))  # hooks must not be set on a shared network
        values, kind = deviations(own, images.to(weights.model.device)), weights.model.config.kind
        in_order.append(Line(title_of(name), kind, tuple(enumerate(values, 1)), marks=True))
        by_size.append(Line(title_of(name), kind, tuple(enumerate(sorted(values, reverse=True), 1)), marks=True))
        sentences.append(f"The layers of {title_of(name)} respond with {statistics.fmean(values):.2f} on average.")
    panels = (
        Panel("In the order of the layers", x="layer", y="standard deviation", lines=tuple(in_order)),
        Panel("The largest first", x="rank", y="standard deviation", lines=tuple(by_size)),
    )
    conditions = (
        "The standard deviation of each 3×3 layer's output over 500 test pictures, all channels and positions, after batch normalization "
        "and before relu or the addition; in evaluation mode."
    )
    return Outcome(" ".join(sentences), conditions, panels)
