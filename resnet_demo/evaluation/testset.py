"""The pictures that a model is measured on, with the preprocessing of the model.

cifar10    the 10,000 test images of CIFAR-10
bundled    the 1,000 of them that ship
FOLDER     the test part of a folder of images: its folder test (or val, valid), else every fifth picture

A folder may have some of the model's classes only, by their names: the model still answers with any of its classes, and
macro averages are taken over the classes that have pictures. A folder with ImageNet's layout (1,000 folders named by wordnet
ids, such as n01440764) belongs to the models of ImageNet, whose classes are in the order of the sorted ids.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch import Tensor

from resnet_demo.data import cifar10
from resnet_demo.data.dataset import CIFAR10_CLASSES, read_cifar10
from resnet_demo.data.folders import data_folder, has_test_files, list_test_files
from resnet_demo.data.image import read
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import DataError, PictureError
from resnet_demo.hub import fetch

BATCH = 250
IMAGENET_CLASSES = 1000
WORDNET_ID = re.compile(r"n\d{8}")


@dataclass(frozen=True)
class TestSet:
    """Pictures with their classes, read in parts: a whole set at 224 pixels does not fit in memory.

    Args:
        name: of the data.
        classes: the names of the classes.
        labels: the class of each picture, (N,) int64.
        picture: returns the picture of a number, as RGB.
        split: which part of the data these pictures are, for people.
        pixels: all pictures, (N, 3, H, W) uint8, where they are in memory anyway.
    """

    __test__ = False  # not a test, in spite of the name

    name: str
    classes: tuple[str, ...]
    labels: Tensor
    picture: Callable[[int], Image.Image]
    split: str = "test images"
    pixels: Tensor | None = None

    def batches(self, preprocessing: Preprocessing) -> Iterator[Tensor]:
        """The pictures in order, cropped and resized but not normalized: (n, 3, H, W) bytes.

        Raises:
            DataError: a file is not a picture; the message names it.
        """
        if self.pixels is not None and self.pixels.shape[2:] == (preprocessing.image_size,) * 2 == (preprocessing.resize,) * 2:
            yield from self.pixels.split(BATCH)  # `crop` changes nothing
            return

        def pixels(number: int) -> numpy.ndarray:
            return numpy.asarray(preprocessing.crop(self.picture(number)))

        with ThreadPoolExecutor(4) as threads:  # Pillow works outside the interpreter lock
            for start in range(0, len(self.labels), BATCH):
                part = range(start, min(start + BATCH, len(self.labels)))
                yield torch.from_numpy(numpy.stack(list(threads.map(pixels, part)))).permute(0, 3, 1, 2).contiguous()


def load(
    source: str, on_progress: fetch.Progress | None = None, *,
    skip_unreadable: bool = False, should_cancel: Callable[[], bool] = lambda: False,
) -> TestSet:  # fmt: skip
    """The pictures that `source` names: cifar10, bundled, or the path of a folder, without its unreadable files if `skip_unreadable`.

    Raises:
        DataError: there is no such data, or nothing usable in it.
        HubError: the download of CIFAR-10 failed.
    """
    match source:
        case "bundled":
            return _cifar10("CIFAR-10 (bundled part)", cifar10.BUNDLED_FILES["test"])
        case "cifar10":
            path = fetch.fetch_file(
                cifar10.REPOSITORY, cifar10.FILES["test"], "dataset", on_progress=on_progress, should_cancel=should_cancel
            )
            return _cifar10("CIFAR-10", path)
        case _:
            folder = data_folder(source)
            classes, test = list_test_files(folder)
            if skip_unreadable:
                test = [(path, label) for path, label in test if _is_readable(path)]
            if not test:
                raise DataError(f"{folder} has no test pictures.")
            labels = torch.tensor([label for _, label in test])
            return TestSet(folder.name, classes, labels, partial(_read, [path for path, _ in test]), _split_of(folder))


def in_order_of(classes: Sequence[str], pictures: TestSet, model: str) -> Tensor:
    """The labels of the pictures in the model's numbering: (N,) int64.

    Raises:
        DataError: the data has classes that the model does not have, or whose number in the model is unknown.
    """
    if tuple(classes) == pictures.classes:
        return pictures.labels
    if all(WORDNET_ID.fullmatch(name) for name in pictures.classes):
        if len(classes) == len(pictures.classes) == IMAGENET_CLASSES:
            return pictures.labels
        raise DataError(
            f"The folders of {pictures.name} are named by wordnet ids, which {model} has no names for: give all 1,000 folders of "
            "ImageNet to a model of its 1,000 classes, or rename the folders to the names of the model's classes."
        )
    repeated = {name for name, count in Counter(classes).items() if count > 1}
    if repeated & set(pictures.classes):
        raise DataError(
            f"{model} has several classes of one name, so that the classes of {pictures.name} cannot be told apart."
        )
    if not set(pictures.classes) <= set(classes):
        raise DataError(
            f"{model} was trained on other classes than those of {pictures.name}: it knows {_named(classes)}; "
            f"the data has {_named(pictures.classes)}. Choose data with the model's classes."
        )
    return torch.tensor([classes.index(name) for name in pictures.classes])[pictures.labels]


def _cifar10(name: str, path: Path) -> TestSet:
    part = read_cifar10(path)
    pixels = part.images.permute(0, 2, 3, 1).numpy()
    split = "1,000 of the 10,000 test images" if path == cifar10.BUNDLED_FILES["test"] else "all 10,000 test images"
    return TestSet(name, CIFAR10_CLASSES, part.labels, lambda number: Image.fromarray(pixels[number]), split, part.images)


def _split_of(folder: Path) -> str:
    """Which part of a folder `list_test_files` lists, for people."""
    return "every fifth picture of each class" if not has_test_files(folder) else "the folder of test pictures"


def _read(paths: Sequence[Path], number: int) -> Image.Image:
    try:
        return read(paths[number])
    except PictureError as error:
        raise DataError(str(error)) from error


def _is_readable(path: Path) -> bool:
    try:
        read(path)
    except PictureError:
        return False
    return True


def _named(classes: Sequence[str]) -> str:
    return f"{len(classes)} ({', '.join(classes[:4])}{', …' if len(classes) > 4 else ''})"
