"""Data sets: CIFAR-10 from the Hub, the part of it that ships, or a folder of images.

A whole data set is one tensor of bytes, (N, 3, H, W) uint8: CIFAR-10 takes 184 MB. Nothing is decoded during
training, and no loader process is needed.

CIFAR-10: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from resnet_demo.config import DataConfig
from resnet_demo.data import cifar10
from resnet_demo.data.folders import data_folder, list_folder
from resnet_demo.data.image import fit, read
from resnet_demo.errors import DataError, PictureError
from resnet_demo.hub import fetch

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
LEAST_DEVIATION = 2e-3  # for pictures of one colour, as a network divides by it; preprocessing.py has its range

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class ImageSet:
    """Pictures and their labels: images (N, 3, H, W) uint8, labels (N,) int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice) -> ImageSet:
        return ImageSet(self.images[part], self.labels[part])

    def to(self, device: torch.device) -> ImageSet:
        """The same pictures on another device."""
        return ImageSet(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Dataset:
    """A training and a test set, with the mean and deviation of the training pixels, for values in 0..1."""

    name: str
    classes: tuple[str, ...]
    train: ImageSet
    test: ImageSet
    mean: RGB
    std: RGB
    skipped: tuple[str, ...] = ()  # files of a folder that cannot be read

    def to(self, device: torch.device) -> Dataset:
        """The same data set on another device."""
        return replace(self, train=self.train.to(device), test=self.test.to(device))


class BundledCache:
    """Loads data sets like `load`, and keeps the latest ones from the bundled pictures, so that a run starts at once."""

    def __init__(self, size: int = 2) -> None:
        self._size = size
        self._datasets: OrderedDict[DataConfig, Dataset] = OrderedDict()

    def load(self, config: DataConfig) -> Dataset:
        """The data set that `config` describes. Raises the errors of `load`."""
        if config.source != "bundled":
            return load(config)
        if config not in self._datasets:
            self._datasets[config] = load(config)
            if len(self._datasets) > self._size:
                self._datasets.popitem(last=False)
        self._datasets.move_to_end(config)
        return self._datasets[config]


def load(config: DataConfig) -> Dataset:
    """The data set that `config` describes.

    With `held_out`, the last training images (their order on the Hub is random) replace the test images, so that
    settings can be chosen without the test set.

    Raises:
        DataError: there is no such data set, or nothing usable in it.
        HubError: the download failed.
    """
    skipped: tuple[str, ...] = ()
    match config.source:
        case "cifar10" | "bundled":
            train, test = (read_cifar10(path) for path in _cifar10_files(config.source))
            name = "CIFAR-10" if config.source == "cifar10" else "CIFAR-10 (bundled part)"
            classes: tuple[str, ...] = CIFAR10_CLASSES
            if config.image_size != 32:
                train, test = (_resized(part, config.image_size) for part in (train, test))
        case _:
            folder = data_folder(config.source)
            name = folder.name
            classes, train, test, skipped = read_folder(folder, config.image_size, skip_unreadable=config.skip_unreadable)
    if config.held_out:
        if config.held_out >= len(train):
            raise DataError(f"{name} has {len(train)} training images; {config.held_out} cannot be held out.")
        train, test = train[: -config.held_out], train[-config.held_out :]
    if config.train_limit:
        train = train[: config.train_limit]
    if config.test_limit:
        test = test[: config.test_limit]
    mean, std = _statistics(train.images)
    return Dataset(name, classes, train, test, mean, std, skipped)


def _cifar10_files(source: str) -> tuple[Path, Path]:
    files = cifar10.BUNDLED_FILES
    if source == "cifar10":
        files = {part: fetch.fetch_file(cifar10.REPOSITORY, file, "dataset") for part, file in cifar10.FILES.items()}
    return files["train"], files["test"]


def download(config: DataConfig, should_cancel: Callable[[], bool]) -> Iterator[tuple[int, int]]:
    """Download what `load` needs from the Hub, and yield (done, total) bytes of the current file.

    Raises:
        HubError: the download failed.
        DownloadCancelled: `should_cancel` returned true.
    """
    if config.source == "cifar10":
        for file in cifar10.FILES.values():
            yield from fetch.download_file(cifar10.REPOSITORY, file, "dataset", should_cancel=should_cancel)


def read_cifar10(path: Path) -> ImageSet:
    """Read a parquet file in the Hub's layout: a column `img` of encoded pictures, a column `label`.

    Raises:
        DataError: the file is missing or not in that layout.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path, columns=["img", "label"])
        encoded = [value.as_py() for value in table["img"].combine_chunks().field("bytes")]
        labels = torch.from_numpy(table["label"].to_numpy().astype(numpy.int64))
        with ThreadPoolExecutor(4) as threads:  # Pillow decodes outside the interpreter lock
            pixels = numpy.stack(list(threads.map(_cifar10_pixels, encoded, chunksize=500)))
    except (OSError, pyarrow.ArrowException, KeyError, ValueError) as error:
        raise DataError(f"{path} is not a CIFAR-10 file in the Hub's layout: {error}") from error
    return ImageSet(torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), labels)


def _cifar10_pixels(encoded: bytes) -> numpy.ndarray:
    with Image.open(io.BytesIO(encoded), formats=("PNG", "WEBP")) as picture:
        return numpy.asarray(picture.convert("RGB"))


def read_folder(
    folder: Path, image_size: int, *, skip_unreadable: bool = False
) -> tuple[tuple[str, ...], ImageSet, ImageSet, tuple[str, ...]]:
    """Read `folder/<class>/*.jpg`, or `folder/train/<class>/…` and `folder/test/<class>/…`.

    Pictures are cropped to the centred square and resized to `image_size`. Without a test folder, every fifth
    picture of each class, in the order of the names, is the test set.

    Returns:
        The names of the classes (the folders', sorted), the training set, the test set, and the files that were left out.

    Raises:
        DataError: no such folder, fewer than two classes, a class with fewer than two pictures, or files that cannot be
            read (some are named); with `skip_unreadable`, only where nothing is left of a class or of the test set.
    """
    classes, *parts = list_folder(folder)
    (train, skipped), (test, skipped_test) = (_read_pictures(part, image_size, skip_unreadable) for part in parts)
    empty = set(range(len(classes))) - set(train.labels.tolist())
    if empty:
        raise DataError(f"Class {classes[min(empty)]!r} of {folder} has no training picture that can be read.")
    return classes, train, test, tuple(str(file.relative_to(folder)) for file in (*skipped, *skipped_test))


def _read_pictures(files: list[tuple[Path, int]], image_size: int, skip_unreadable: bool) -> tuple[ImageSet, list[Path]]:
    def pixels(file: Path) -> numpy.ndarray | str:
        try:
            return numpy.asarray(fit(read(file), image_size))
        except PictureError as error:
            return str(error)

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(pixels, [file for file, _ in files]))
    refused = [result for result in results if isinstance(result, str)]
    readable = [(result, label) for result, (_, label) in zip(results, files, strict=True) if not isinstance(result, str)]
    if not readable or (refused and not skip_unreadable):
        raise DataError(
            f"{len(refused)} of {len(files)} files cannot be used. {' '.join(refused[:3])} Remove such files, or leave them "
            "out: with --skip-unreadable on the command line, or 'Skip unreadable' among the lab's settings."
        )
    images = torch.from_numpy(numpy.stack([array for array, _ in readable])).permute(0, 3, 1, 2).contiguous()
    skipped = [file for result, (file, _) in zip(results, files, strict=True) if isinstance(result, str)]
    return ImageSet(images, torch.tensor([label for _, label in readable])), skipped


def _resized(part: ImageSet, side: int) -> ImageSet:
    images = F.interpolate(part.images.float(), size=(side, side), mode="bilinear", antialias=True)
    return ImageSet(images.round().clamp(0, 255).to(torch.uint8), part.labels)


def _statistics(images: Tensor) -> tuple[RGB, RGB]:
    """Mean and standard deviation of each channel, exact, from the histogram of its bytes."""
    values = torch.arange(256, dtype=torch.float64) / 255
    means, deviations = [], []
    for channel in range(3):
        share = torch.bincount(images[:, channel].flatten().int(), minlength=256).double()
        share /= share.sum()
        mean = float(share @ values)
        means.append(round(mean, 6))
        deviations.append(round(max(float(share @ (values - mean) ** 2) ** 0.5, LEAST_DEVIATION), 6))
    return (means[0], means[1], means[2]), (deviations[0], deviations[1], deviations[2])
