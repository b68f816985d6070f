"""Classify a picture in one forward pass.

The answer holds the output of every stage, so that a Grad-CAM (explain.py) needs no second pass through the network.
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
    """A class and its share of the softmax."""

    label: str
    index: int
    probability: float


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer of a network about one picture.

    Args:
        weights: the network.
        square: the part of the picture that the network sees, RGB.
        probabilities: (classes,) float32 on the CPU; their sum is 1.
        activations: the output of each stage by name, (1, C, h, w), on the network's device, without a graph.
    """

    weights: Weights
    square: Image.Image
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
        """The entropy of the probabilities as a share of the largest: 0 if one class has everything, 1 if all have the same."""
        return float(torch.special.entr(self.probabilities.double()).sum()) / math.log(len(self.probabilities))

    @property
    def unsure(self) -> str:
        """A sentence for an answer that is unsure, with the model's classes; empty for others."""
        return self.words if confidence.is_unsure(self.entropy) else ""

    @property
    def words(self) -> str:
        """The sentences beside the answer: whether it is unsure, and which classes the model knows."""
        return confidence.words(self.top(1)[0].probability, self.entropy, self.weights.classes)


def classify(weights: Weights, picture: Image.Image) -> Answer:
    """The answer of a network about an RGB picture of any size.

    Any number of threads may call this with the same weights.
    """
    model = weights.model
    square = weights.preprocessing.crop(picture)
    with torch.no_grad():  # not inference_mode: a later gradient cannot use its tensors
        x = model.stem(weights.preprocessing.tensor(square).to(model.device))
        activations = {}
        for name, stage in model.stages.items():
            x = activations[name] = stage(x)
        probabilities = model.head(x)[0].float().softmax(0).cpu()
    return Answer(weights, square, probabilities, MappingProxyType(activations))
