"""The network of a transfer: the stages of the base, a new head, and which of its parts learn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from resnet_demo.config import ModelConfig
from resnet_demo.errors import RunError
from resnet_demo.model.resnet import ResNet, build
from resnet_demo.zoo import folder, repository
from resnet_demo.zoo.catalogue import locate
from resnet_demo.zoo.folder import Weights

HEAD = ("classes", "hidden", "dropout")
"""The settings in which the transferred network differs from its base."""


def load_base(name: str) -> Weights:
    """The base that a run's config names; a page lets nobody name a path (settings.from_outside).

    Raises:
        WeightsError: there is no such model, or it is damaged.
        HubError: it is not in the local cache and cannot be downloaded.
    """
    place = base_place(name)
    return folder.load(place) if isinstance(place, Path) else repository.load(place)


def base_place(name: str) -> Path | str:
    """The folder, or the Hub id, of a base; a Hub id is never taken for a path. Raises WeightsError like `load_base`."""
    return locate(name, allow_paths=Path(name).is_absolute())


def with_new_head(base: Weights, architecture: ModelConfig, seed: int) -> ResNet:
    """A network with the stem and stages of the base, on the CPU, and a head that is freshly initialized.

    Raises:
        RunError: the base is another network than the one that the run was set up for.
    """
    if base.model.config.model_dump(exclude=set(HEAD)) != architecture.model_dump(exclude=set(HEAD)):
        raise RunError(f"{base.name} is no longer the {architecture.name} that this run began with: start a new run.")
    network = build(architecture, seed)
    trunk = {name: value for name, value in base.model.state_dict().items() if not name.startswith("fc.")}
    network.load_state_dict(trunk, strict=False)
    return network


def digest(model: ResNet) -> str:
    """A hash of the weights before the head."""
    content = hashlib.sha256()
    for name, value in model.state_dict().items():
        if not name.startswith("fc."):
            content.update(name.encode())
            content.update(value.cpu().contiguous().numpy().tobytes())
    return content.hexdigest()


def features(model: ResNet, images: Tensor) -> Tensor:
    """The pooled maps of the last stage: normalized images (N, 3, H, W) -> (N, C) float32."""
    return model.pool(model.features(images)).float()


class PartlyFrozen(nn.Module):
    """A network of which some parts learn and all others stay as they are.

    Frozen batch normalization keeps its statistics and uses them, also while the network trains. In training mode it would
    use those of each batch instead, and change its own: the features that the base learned would move with every batch.

    Args:
        network: the network.
        trained: the parts of it that learn.
        train_batch_norm: let frozen batch normalization do what it should not.
    """

    def __init__(self, network: ResNet, trained: Sequence[nn.Module], *, train_batch_norm: bool = False) -> None:
        super().__init__()
        self.network = network
        self._trained = tuple(trained)  # a tuple, so that these are not registered twice
        self._train_batch_norm = train_batch_norm

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, classes)."""
        logits: Tensor = self.network(images)
        return logits

    def train(self, mode: bool = True) -> PartlyFrozen:
        """Set the mode of the parts that learn; the frozen ones stay in evaluation mode and get no gradients."""
        self.training = mode
        self.network.train(mode and self._train_batch_norm)
        self.network.requires_grad_(False)
        for part in self._trained:
            part.train(mode)
            part.requires_grad_(True)
        return self

    def learning(self) -> Iterator[nn.Parameter]:
        """The parameters that learn."""
        for part in self._trained:
            yield from part.parameters()


def last_stages(network: ResNet, count: int) -> list[nn.Module]:
    """The last `count` stages and the head."""
    return [*list(network.stages.values())[len(network.stages) - count :], network.fc]


def nearest_class_mean(train: Tensor, labels: Tensor, test: Tensor, classes: int) -> Tensor:
    """The class whose training pictures' mean feature is the nearest, for each test picture: (N,) int64.

    Args:
        train: features of the training pictures, (M, C).
        labels: their classes, (M,) int64.
        test: features of the test pictures, (N, C).
        classes: the number of classes; each has a training picture.
    """
    means = torch.stack([train[labels == label].mean(0) for label in range(classes)])
    return torch.cdist(test, means).argmin(1)
