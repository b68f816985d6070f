"""The experiments by name, as functions."""

from __future__ import annotations

from collections.abc import Callable

from resnet_demo.inside import dial, features, gradients, lesions, loss_line, loss_surface, responses
from resnet_demo.inside.context import Context
from resnet_demo.inside.outcome import Outcome
from resnet_demo.inside.request import ExperimentName, InsideRequest

EXPERIMENT_FUNCTIONS: dict[ExperimentName, Callable[[InsideRequest, Context], Outcome]] = {
    "gradients": gradients.run,
    "drop": lesions.run,
    "dial": dial.run,
    "responses": responses.run,
    "maps": features.maps,
    "neighbours": features.neighbours,
    "loss": loss_line.run,
    "surface": loss_surface.run,
}
