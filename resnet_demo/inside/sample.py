"""The bundled test pictures on which trained networks are measured here, and the share that is right."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from resnet_demo.data.augment import normalize
from resnet_demo.evaluation import testset
from resnet_demo.evaluation.threads import one_processor_each
from resnet_demo.inside.composition import Step
from resnet_demo.inside.context import Context
from resnet_demo.zoo.folder import Weights

EVERY = 2
"""Every second one of the 1,000 bundled test pictures: 500."""
PART = 125
DESCRIPTION = (
    "Accuracy on 500 test pictures of CIFAR-10 (every second one of those that ship); other 500 would give other numbers, within 4.4 % in "
    "19 of 20 cases. Nothing is trained again, and batch normalization keeps its statistics."
)


@dataclass(frozen=True)
class Sample:
    """Pictures as the inputs of a network, (N, 3, H, W) float32, and their classes, (N,) int64."""

    inputs: Tensor
    labels: Tensor

    def accuracy(self, network: Step, context: Context) -> list[float]:
        """The share that is right, in percent, for each row of the network's logits: (…, n, classes) of n pictures.

        Raises:
            ExperimentCancelled: the result is no longer wanted.
        """

        def right(part: tuple[Tensor, Tensor]) -> Tensor:
            context.check()
            inputs, labels = part
            with torch.no_grad():
                logits = network(inputs)
            rows = (logits.argmax(-1).cpu() == labels).reshape(-1, len(labels))
            return rows.sum(1)

        parts = zip(self.inputs.split(PART), self.labels.split(PART), strict=True)
        with one_processor_each() as pool:
            counts = torch.stack(list(pool.map(right, parts))).sum(0)
        return [round(100 * count / len(self.labels), 4) for count in counts.tolist()]


def sample(weights: Weights) -> Sample:
    """The pictures for a network.

    Raises:
        DataError: it has other classes.
    """
    pictures = testset.load("bundled")
    labels = testset.in_order_of(weights.classes, pictures, weights.name)
    images = torch.cat(list(pictures.batches(weights.preprocessing)))[::EVERY].to(weights.model.device)
    return Sample(normalize(images, weights.preprocessing.mean, weights.preprocessing.std), labels[::EVERY])
