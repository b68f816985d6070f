"""Features of a frozen base, computed once and kept on disk.

A frozen base gives the same features for a picture in every epoch, so it sees each picture once. They are kept in chunks,
by the hash of all that determines them: the weights, the preprocessing, the number format, the machine, the view and the
pictures of the chunk. A chunk is always computed in the same batches, so a cached one equals a computed one to the last bit.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from torch import Tensor

from resnet_demo import files
from resnet_demo.data.augment import normalize
from resnet_demo.device import name_of
from resnet_demo.model.resnet import ResNet
from resnet_demo.training.loop import Autocast
from resnet_demo.training.machine import Precision
from resnet_demo.transfer import networks
from resnet_demo.transfer.pictures import Pictures
from resnet_demo.transfer.streams import augmented

FORMAT = 1
CHUNK, BATCH = 128, 32  # pictures of a file, and of a forward pass; a stop waits for a forward pass
BUDGET = 2_000_000_000  # bytes on disk
DIGEST = 32  # bytes of a SHA-256
log = logging.getLogger(__name__)


class FeatureCache:
    """Features on disk; the least recently used go when there are more bytes than the budget allows.

    Args:
        folder: where they are; by default in the user's home (files.home()).
        budget: bytes.
    """

    def __init__(self, folder: Path | None = None, budget: int = BUDGET) -> None:
        self.folder = files.home() / "features" if folder is None else folder
        self.budget = budget

    def get(self, key: str, shape: tuple[int, int]) -> Tensor | None:
        """The features of that key, (n, C) float32; None if there are none. A damaged file is removed."""
        path = self.folder / key
        try:
            content = path.read_bytes()
            os.utime(path)  # the most recently used
        except OSError:
            return None
        values = content[DIGEST:]
        if len(values) != 4 * shape[0] * shape[1] or hashlib.sha256(values).digest() != content[:DIGEST]:
            log.warning("The features in %s are damaged, and are computed again.", path)
            path.unlink(missing_ok=True)
            return None
        return torch.from_numpy(numpy.frombuffer(values, dtype=numpy.float32).copy()).view(shape)

    def put(self, key: str, features: Tensor) -> None:
        """Keep the features, whole or not at all; where the disk takes none, a transfer does without."""
        values = features.contiguous().numpy().tobytes()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            files.write_atomically(self.folder / key, hashlib.sha256(values).digest() + values)
            files.drop_least_recently_used(self.folder.iterdir(), self.budget)
        except OSError as error:
            log.warning("The features could not be kept in %s: %s", self.folder, error.strerror or error)


@dataclass(frozen=True)
class FeaturePass:
    """Computes the features of pictures by a base.

    Args:
        base: in evaluation mode, on the device.
        weights: the hash of its weights (networks.digest).
        precision: number format of its forward passes.
        autocast: returns the context that computes a forward pass in it.
        cache: where features are kept.
    """

    base: ResNet
    weights: str
    precision: Precision
    autocast: Autocast
    cache: FeatureCache

    @property
    def channels(self) -> int:
        """The number of features of a picture."""
        channels: int = next(layer for layer in self.base.fc.modules() if isinstance(layer, torch.nn.Linear)).in_features
        return channels

    def fill(self, target: Tensor, pictures: Pictures, view: int | None = None) -> Iterator[tuple[int, int]]:
        """Fill `target` with the features of the pictures, in their order.

        Args:
            target: (N, C) float32, on the CPU.
            pictures: N of them.
            view: the number of an augmented view; None for the pictures themselves.

        Yields:
            After each forward pass: how many pictures it did, and how many of them came from the cache.

        Raises:
            DataError: a file is not a picture.
        """
        identity = self._identity(pictures, view)
        for start in range(0, len(pictures), CHUNK):
            numbers = range(start, min(start + CHUNK, len(pictures)))
            key = hashlib.sha256(b"".join((identity, *(pictures.digests[number] for number in numbers)))).hexdigest()
            part = target[numbers.start : numbers.stop]
            cached = self.cache.get(key, (len(part), part.shape[1]))
            if cached is not None:
                part.copy_(cached)
                yield len(part), len(part)
                continue
            yield from ((count, 0) for count in self._compute(part, pictures, numbers, key if view is not None else ""))
            self.cache.put(key, part)

    def _compute(self, target: Tensor, pictures: Pictures, numbers: range, view_seed: str) -> Iterator[int]:
        generator = torch.Generator().manual_seed(int(view_seed[:15] or "0", 16))
        preprocessing = pictures.preprocessing
        for start in range(0, len(numbers), BATCH):
            part = numbers[start : start + BATCH]
            images = pictures.crops(part)
            if view_seed:
                images = augmented(images, generator)
            inputs = normalize(images, preprocessing.mean, preprocessing.std).to(self.base.device)
            with torch.no_grad(), self.autocast():
                target[start : start + len(part)] = networks.features(self.base, inputs).cpu()
            yield len(part)

    def _identity(self, pictures: Pictures, view: int | None) -> bytes:
        content = {
            "format": FORMAT, "weights": self.weights, "view": view, "precision": self.precision,
            "preprocessing": pictures.preprocessing.model_dump(), "batch": BATCH, "torch": torch.__version__,
            "device": name_of(self.base.device), "threads": torch.get_num_threads(),
        }  # fmt: skip
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
