"""The pictures of a transfer: which are learned from, set aside and tested, each prepared for the base when it is needed.

50,000 pictures of 224×224 do not fit in memory, so they are cropped and resized in parts, by the preprocessing that later
travels with the weights: `classify` and `evaluate` prepare a picture in exactly this way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch import Tensor

from resnet_demo.config import DataConfig
from resnet_demo.data.dataset import Dataset, ImageSet
from resnet_demo.data.folders import LabelledFiles, data_folder, deleted_pictures_as_data_error, list_folder
from resnet_demo.data.image import decode, read, read_encoded
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import DataError, PictureError
from resnet_demo.transfer.split import SHIPPED, held_out_counts, limited_counts

IN_MEMORY = 400_000_000
"""Bytes of prepared pictures that are kept, so that a folder's files are decoded once if they are few."""


class Pictures:
    """Some pictures with their labels, prepared for a network when they are needed.

    Args:
        labels: the class of each picture.
        digests: a hash of each picture's content.
        picture: returns the picture of a number, as RGB; raises PictureError.
        preprocessing: how they are cropped and resized.
    """

    def __init__(
        self,
        labels: Sequence[int],
        digests: Sequence[bytes],
        picture: Callable[[int], Image.Image],
        preprocessing: Preprocessing,
    ) -> None:
        self.labels = torch.tensor(labels, dtype=torch.int64)
        self.digests = tuple(digests)
        self.preprocessing = preprocessing
        self._picture = picture
        self._squares: dict[int, numpy.ndarray] = {}  # prepared before

    def __len__(self) -> int:
        return len(self.digests)

    def crops(self, numbers: Iterable[int]) -> Tensor:
        """The squares that a network sees, not normalized: (n, 3, side, side) bytes.

        Raises:
            DataError: a file is not a picture; the message names it.
        """
        with ThreadPoolExecutor(4) as threads:  # Pillow works outside the interpreter lock
            squares = list(threads.map(self._square, numbers))
        return torch.from_numpy(numpy.stack(squares)).permute(0, 3, 1, 2).contiguous()

    def _square(self, number: int) -> numpy.ndarray:
        square = self._squares.get(number)
        if square is None:
            try:
                square = numpy.asarray(self.preprocessing.crop(self._picture(number)))
            except PictureError as error:
                raise DataError(str(error)) from error
            if (len(self._squares) + 1) * square.nbytes <= IN_MEMORY:
                self._squares[number] = square
        return square


@dataclass(frozen=True)
class TransferData:
    """The pictures of a transfer in their three parts; the test part is used once, at the end."""

    name: str
    classes: tuple[str, ...]
    train: Pictures
    validation: Pictures
    test: Pictures
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Source:
    """The pictures of a data set's training or test part, before any is selected."""

    labels: list[int]
    digests: list[bytes]
    picture: Callable[[int], Image.Image]

    def counts(self, classes: int) -> list[int]:
        return [self.labels.count(label) for label in range(classes)]

    def select(self, skip: Sequence[int], take: Sequence[int], preprocessing: Preprocessing) -> Pictures:
        """`take` pictures of each class after its first `skip`, in the order of the data set."""
        position, numbers = [0] * len(take), []
        for number, label in enumerate(self.labels):
            if skip[label] <= position[label] < skip[label] + take[label]:
                numbers.append(number)
            position[label] += 1
        labels, digests = [self.labels[number] for number in numbers], [self.digests[number] for number in numbers]
        return Pictures(labels, digests, lambda index: self.picture(numbers[index]), preprocessing)


def load(
    config: DataConfig, validation: float, preprocessing: Preprocessing, load_set: Callable[[DataConfig], Dataset]
) -> TransferData:
    """The pictures that `config` names, equally many of each class where it sets limits, a share of each class set aside.

    Args:
        config: source, limits, and whether unreadable files are left out.
        validation: share of the training pictures that is set aside.
        preprocessing: how a network sees them.
        load_set: loads CIFAR-10, whole or the bundled part.

    Raises:
        DataError: there is no such data, a file is not a picture, or a picture is in two classes.
        HubError: the download of CIFAR-10 failed.
    """
    skipped: tuple[str, ...] = ()
    if config.source in SHIPPED:
        data = load_set(DataConfig(source=config.source))
        name, classes, train, test = data.name, data.classes, _of_images(data.train), _of_images(data.test)
    else:
        folder = data_folder(config.source)
        name = folder.name
        with deleted_pictures_as_data_error(folder):
            classes, train, test, skipped = _read_folder(folder, skip_unreadable=config.skip_unreadable)
    none = [0] * len(classes)
    counts = limited_counts(train.counts(len(classes)), config.train_limit)
    held_out = held_out_counts(counts, validation)
    learn = [count - aside for count, aside in zip(counts, held_out, strict=True)]
    tested = limited_counts(test.counts(len(classes)), config.test_limit)
    for label, number in enumerate(learn):
        if not number:
            raise DataError(f"Class {classes[label]!r} of {name} has no picture to learn from.")
    if not sum(tested):
        raise DataError(f"{name} has no test pictures.")
    return TransferData(
        name, classes, train.select(none, learn, preprocessing), train.select(learn, held_out, preprocessing),
        test.select(none, tested, preprocessing), skipped,
    )  # fmt: skip


def _of_images(images: ImageSet) -> _Source:
    pixels = images.images.permute(0, 2, 3, 1).contiguous().numpy()
    digests = [hashlib.sha256(picture).digest() for picture in pixels]
    return _Source(images.labels.tolist(), digests, lambda number: Image.fromarray(pixels[number]))


def _read_folder(folder: Path, *, skip_unreadable: bool) -> tuple[tuple[str, ...], _Source, _Source, tuple[str, ...]]:
    """The classes of a folder, its training and test part, and the files that are left out."""
    classes, *parts = list_folder(folder)
    sources, skipped, owners = [], [], dict[bytes, tuple[Path, int]]()
    for files in parts:
        readable: LabelledFiles = []
        digests: list[bytes] = []
        for path, label in files:
            try:
                digest = hashlib.sha256(_encoded(path, check=skip_unreadable)).digest()
            except PictureError as error:
                if not skip_unreadable:
                    raise DataError(f"{error} Remove it, or leave such files out (skip unreadable).") from error
                skipped.append(str(path.relative_to(folder)))
                continue
            other, owner = owners.setdefault(digest, (path, label))
            if owner != label:
                raise DataError(
                    f"{path} and {other} are the same picture, in the classes {classes[label]!r} and {classes[owner]!r}: "
                    "remove it from one of them."
                )
            readable.append((path, label))
            digests.append(digest)
        sources.append(_Source([label for _, label in readable], digests, partial(_read, folder, readable)))
    train, test = sources
    return classes, train, test, tuple(skipped)


def _encoded(path: Path, *, check: bool) -> bytes:
    """The content of a file; with `check`, only if it can be decoded."""
    try:
        encoded = read_encoded(path)
        if check:
            decode(encoded)
    except OSError as error:
        raise PictureError(f"{path} cannot be read: {error.strerror or error}.") from error
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from error
    return encoded


def _read(folder: Path, files: LabelledFiles, number: int) -> Image.Image:
    with deleted_pictures_as_data_error(folder):
        return read(files[number][0])
