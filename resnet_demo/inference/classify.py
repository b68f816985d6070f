"""One forward pass: what the network takes a picture for, and what every stage made of it.

The stages' outputs are kept, so that a Grad-CAM afterwards (explain.py) needs no second pass through the trunk.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from PIL import Image
from torch import Tensor

from resnet_demo.inference import confidence
from resnet_demo.zoo.folder import Weights


@dataclass(frozen=True)
class Prediction:
    """A class and the share of the softmax that the network gives it."""

    label: str
    index: int
    probability: float


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network made of one picture.

    Args:
        weights: the network that answered.
        seen: the square that it saw, RGB.
        probabilities: (classes,) float32 on the CPU, their sum is 1.
        activations: the output of each stage by name, (1, C, h, w), on the network's device, without a graph.
    """

    weights: Weights
    seen: Image.Image
    probabilities: Tensor
    activations: Mapping[str, Tensor]

    def top(self, k: int = 5) -> tuple[Prediction, ...]:
        """The k likeliest classes, likeliest first; all of them where there are fewer."""
        values, indices = self.probabilities.topk(min(k, len(self.probabilities)))
        return tuple(
            Prediction(self.weights.classes[index], index, value)
            for value, index in zip(values.tolist(), indices.tolist(), strict=True)
        )

    @property
    def entropy(self) -> float:
        """How spread the answer is: 0 when one class has everything, 1 when all classes have the same."""
        return float(torch.special.entr(self.probabilities.double()).sum()) / math.log(len(self.probabilities))

    @property
    def unsure(self) -> str:
        """What to say where the answer is to be doubted, with the model's classes; empty where it is not."""
        return self.words if confidence.is_unsure(self.entropy) else ""

    @property
    def words(self) -> str:
        """What must be said beside the answer: whether it is unsure, and what the model can answer at all."""
        return confidence.words(self.top(1)[0].probability, self.entropy, self.weights.classes)


def classify(weights: Weights, picture: Image.Image) -> Answer:
    """Show an RGB picture of any size to a network.

    Any number of threads may do so with the same weights.
    """
    model = weights.model
    seen = weights.preprocessing.crop(picture)
    with torch.no_grad():  # not inference_mode: its tensors cannot take part in a later gradient
        x = model.stem(weights.preprocessing.tensor(seen).to(model.fc.weight.device))
        activations = {}
        for name, stage in model.stages.items():
            x = activations[name] = stage(x)
        probabilities = model.head(x)[0].float().softmax(0).cpu()
    return Answer(weights, seen, probabilities, MappingProxyType(activations))
