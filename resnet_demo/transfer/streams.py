"""Batches of a transfer: of cached features or of prepared pictures, in an order that depends on the seed alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from resnet_demo.data.augment import crops, normalize, pad
from resnet_demo.training.loop import Batch
from resnet_demo.transfer.pictures import Pictures

Take = Callable[[Tensor, torch.Generator], Tensor]
"""Returns what a network takes of the pictures of these numbers, (n,) int64; augmentation draws from the generator."""

SHIFT = 8
"""Augmented pictures move by up to an eighth of their side, as section 4.2's 4 of 32 pixels."""


class Draws:
    """Endless batches, each epoch in a new order, without a smaller last batch.

    The order has random numbers of its own, so that streams of one seed draw the same pictures whatever they take of them.

    Args:
        labels: the class of each picture, (N,) int64.
        size: pictures in a batch; at most N.
        seed: for the order and the augmentation.
        take: what a batch holds of its pictures.
        device: where the batches go.
        skip: the number of batches to leave out at the beginning: those that an earlier phase draws.
    """

    def __init__(self, labels: Tensor, size: int, seed: int, take: Take, device: torch.device, skip: int = 0) -> None:
        self.labels, self.size, self.device = labels, min(size, len(labels)), device
        self._take = take
        self._order_generator = torch.Generator().manual_seed(seed)
        self._generator = torch.Generator().manual_seed(seed)
        self._order, self._position = torch.empty(0, dtype=torch.int64), 0
        for _ in range(skip):
            self._numbers()

    @property
    def per_epoch(self) -> int:
        """Batches in an epoch."""
        return len(self.labels) // self.size

    def __iter__(self) -> Draws:
        return self

    def __next__(self) -> Batch:
        numbers = self._numbers()
        return self._take(numbers, self._generator).to(self.device), self.labels[numbers].to(self.device)

    def _numbers(self) -> Tensor:
        if self._position + self.size > len(self._order):
            self._order, self._position = torch.randperm(len(self.labels), generator=self._order_generator), 0
        self._position += self.size
        return self._order[self._position - self.size : self._position]

    def state_dict(self) -> dict[str, Any]:
        """The state that determines the next batch."""
        return {
            "order_generator": self._order_generator.get_state(), "generator": self._generator.get_state(),
            "order": self._order, "position": self._position,
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state` was saved."""
        self._order_generator.set_state(state["order_generator"])
        self._generator.set_state(state["generator"])
        self._order, self._position = state["order"], state["position"]


def take_features(views: Tensor) -> Take:
    """Take one of the views of each picture at random: of features (views, N, C)."""

    def take(numbers: Tensor, generator: torch.Generator) -> Tensor:
        if len(views) == 1:
            return views[0, numbers]
        return views[torch.randint(len(views), (len(numbers),), generator=generator), numbers]

    return take


def take_pictures(pictures: Pictures, *, augment: bool) -> Take:
    """Take the pictures, normalized, shifted and mirrored at random if `augment`."""

    def take(numbers: Tensor, generator: torch.Generator) -> Tensor:
        images = pictures.crops(numbers.tolist())
        if augment:
            images = augmented(images, generator)
        return normalize(images, pictures.preprocessing.mean, pictures.preprocessing.std)

    return take


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each picture shifted and mirrored at random: (n, 3, side, side) bytes."""
    side = images.shape[-1]
    return crops(pad(images, "reflect", side // SHIFT), torch.arange(len(images)), side, generator)
