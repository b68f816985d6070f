"""Published errors of other projects' ResNets for CIFAR-10 as data, each with its source and convention. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Project:
    """Networks of section 4.2 that another project trained and published.

    Args:
        name: how the project is called for short.
        source: where its figures stand.
        errors: of the 10,000 test images, in percent, by depth.
        convention: how it trained, and at which moment of the training the error was taken, where that is known.
    """

    name: str
    source: str
    errors: Mapping[int, float]
    convention: str


AKAMASTER = Project(
    "akamaster", "github.com/akamaster/pytorch_resnet_cifar10",
    {20: 8.27, 32: 7.37, 44: 6.90, 56: 6.61, 110: 6.32},
    "200 epochs of all 50,000 training images; one figure a depth, of which epoch is not said (its script notes the best one on "
    "the test images)",
)  # fmt: skip
CHENYAOFO = Project(
    "chenyaofo", "github.com/chenyaofo/pytorch-cifar-models",
    {20: 7.40, 32: 6.47, 44: 5.99, 56: 5.63},
    "100 less the published accuracies of 92.60, 93.53, 94.01 and 94.37 %; 200 epochs in batches of 256, with Nesterov's momentum; "
    "one figure a depth, of which epoch is not said (its script reports the best one on the test images)",
)  # fmt: skip
PROJECTS = (AKAMASTER, CHENYAOFO)
