"""An endless stream of shuffled, augmented batches that can stop anywhere and continue identically."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from resnet_demo.config import DataConfig
from resnet_demo.data.augment import crops, normalize, pad
from resnet_demo.data.dataset import Dataset


class Batches:
    """Batches of a training set, each epoch in a new order, without a smaller last batch.

    Args:
        dataset: has the training set, on the CPU or an accelerator.
        config: augmentation and padding.
        size: pictures in a batch; at most the size of the training set.
        seed: for the order and the augmentation.
        part: (rank, world size): under DDP every process draws the same batch and keeps its own share.
        padded: the padded pictures, if another stream over the same set already has them (its `source`).

    Yields:
        images (n, 3, H, W) float32, normalized, and labels (n,) int64.
    """

    def __init__(
        self, dataset: Dataset, config: DataConfig, size: int, seed: int, part: tuple[int, int] = (0, 1),
        padded: Tensor | None = None,
    ) -> None:  # fmt: skip
        self.dataset = dataset
        self.size = min(size, len(dataset.train))
        self.rank, self.world_size = part
        self.source = dataset.train.images
        if config.augment:
            self.source = padded if padded is not None else pad(self.source, config.padding)
        self.augment = config.augment
        self.generator = torch.Generator().manual_seed(seed)
        self.order = torch.empty(0, dtype=torch.int64)
        self.position = 0
        self.epoch = -1
        self.mirrored_first: Tensor | None = None  # alternating: which pictures the even epochs mirror, (N,) bool
        if config.mirror == "alternating":
            self.mirrored_first = torch.rand(len(dataset.train), generator=torch.Generator().manual_seed(seed)) < 0.5

    @property
    def per_epoch(self) -> int:
        """Batches in an epoch."""
        return len(self.dataset.train) // self.size

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        if self.position + self.size > len(self.order):
            self.order, self.position = torch.randperm(len(self.dataset.train), generator=self.generator), 0
            self.epoch += 1
        train = self.dataset.train
        numbers = self.order[self.position : self.position + self.size]
        on_device = numbers.to(train.labels.device)
        self.position += self.size
        if self.augment:
            mirrored = None if self.mirrored_first is None else self.mirrored_first[numbers] ^ (self.epoch % 2 == 1)
            images = crops(self.source, on_device, train.images.shape[-1], self.generator, mirrored)
        else:
            images = self.source[on_device]
        mine = slice(self.rank, None, self.world_size)
        return normalize(images[mine], self.dataset.mean, self.dataset.std), train.labels[on_device][mine]

    def state_dict(self) -> dict[str, Any]:
        """The state that determines the next batch."""
        state = {"generator": self.generator.get_state(), "order": self.order, "position": self.position}
        return state | {"epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state` was saved."""
        self.generator.set_state(state["generator"])
        self.order, self.position = state["order"], state["position"]
        self.epoch = state.get("epoch", 0)  # checkpoints of version 0.1 have none and do not use it
