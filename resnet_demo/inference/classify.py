"""Classify a picture in one forward pass.

The answer holds the output of every stage, each with the graph from the first stage on, so that a Grad-CAM (explain.py)
needs no second pass through the network: only the gradient, back to the stage that it is of.
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
        activations: the output of each stage by name, (1, C, h, w), on the network's device. The first one is a leaf of the
            graph in which `logits` is a function of all of them.
        logits: (classes,) on the network's device.

    The graph is in memory as long as the answer is: about 100 MB for ResNet-50 at 224.
    """

    weights: Weights
    square: Image.Image
    probabilities: Tensor
    activations: Mapping[str, Tensor]
    logits: Tensor

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
        probability, classes = self.top(1)[0].probability, len(self.probabilities)
        return self.words if confidence.is_unsure(probability, self.entropy, classes) else ""

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
    (first, stage), *later = model.stages.items()
    with torch.no_grad():  # not inference_mode: a later gradient cannot use its tensors
        x = stage(model.stem(weights.preprocessing.tensor(square).to(model.device)))
    with torch.enable_grad():
        activations = {first: x.requires_grad_()}
        for name, stage in later:
            x = activations[name] = stage(x)
        logits = model.head(x)[0]
    probabilities = logits.detach().float().softmax(0).cpu()
    return Answer(weights, square, probabilities, MappingProxyType(activations), logits)
