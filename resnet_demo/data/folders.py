"""A folder of pictures as a data set: its classes and the files of each, without reading a picture. No torch here."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from resnet_demo.errors import DataError, PictureError, SettingError
from resnet_demo.files import expand_home, home
from resnet_demo.parsing import check_class_name

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".heic", ".heif")
TEST_FOLDERS = ("test", "val", "valid")

OWN_PICTURES = re.compile(r"pictures/[0-9a-z]{1,64}/[0-9a-f]{16}/own pictures")
DELETED_PICTURES = "These pictures are no longer kept: their owner deleted them, or they have expired. Add them again."

LabelledFiles = list[tuple[Path, int]]


@dataclass(frozen=True)
class _Layout:
    """The folders of a data set.

    Args:
        classes: names of the classes, sorted.
        train: has one folder of pictures for each class.
        test: likewise; None if every fifth picture of `train` is a test picture.
    """

    classes: tuple[str, ...]
    train: Path
    test: Path | None


def data_folder(source: str) -> Path:
    """The folder of a data set that is neither CIFAR-10 nor its bundled part.

    Visitors' own pictures (picture_store.py) are named without the folder that they are kept in, since anybody may read the
    config of a run.
    """
    return home() / source if OWN_PICTURES.fullmatch(source) else expand_home(source)


def source_of(folder: Path) -> str:
    """The name of a copy of a visitor's pictures, from which `data_folder` makes the folder again."""
    return "/".join(folder.parts[-4:])


@contextmanager
def deleted_pictures_as_data_error(folder: Path) -> Iterator[None]:
    """Reports any error while a visitor's own pictures are read as their deletion, without naming the folder.

    A copy of own pictures is complete when it is made, and every picture in it has been decoded once; but its owner may
    delete it at any time, from another page. Errors of other data sets pass unchanged.

    Raises:
        DataError: the visitor's pictures cannot be read.
    """
    try:
        yield
    except (OSError, DataError, PictureError) as error:
        if OWN_PICTURES.fullmatch(source_of(folder)):
            raise DataError(DELETED_PICTURES) from error
        raise


@contextmanager
def _os_error_as_data_error(folder: Path) -> Iterator[None]:
    try:
        with deleted_pictures_as_data_error(folder):
            yield
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be read: {error.strerror}.") from error


def list_folder(folder: Path) -> tuple[tuple[str, ...], LabelledFiles, LabelledFiles]:
    """The names of the classes, and the training and the test files with their labels.

    The layout is `folder/<class>/*.jpg`, or `folder/train/<class>/…` and `folder/test/<class>/…`. Without a test folder,
    every fifth picture of each class, in the order of the names, is a test picture.

    Raises:
        DataError: no such folder, one that cannot be read, fewer than two classes, or a class with fewer than two pictures.
    """
    train: LabelledFiles = []
    test: LabelledFiles = []
    with _os_error_as_data_error(folder):
        layout = _layout(folder)
        for label, name in enumerate(layout.classes):
            files = _files(layout.train / name)
            _check_count(layout, name, len(files))
            if layout.test is not None:
                train_files, test_files = files, _files(layout.test / name)
            else:
                train_files, test_files = _split(files)
            train += [(file, label) for file in train_files]
            test += [(file, label) for file in test_files]
    return layout.classes, train, test


def list_test_files(folder: Path) -> tuple[tuple[str, ...], LabelledFiles]:
    """The names of the classes, and the test files of a folder with their labels.

    These are the pictures of its folder test (val, valid), whether or not there is a folder train beside it; all pictures
    of a folder of one of these names; else every fifth picture, as `list_folder` lists them.

    Raises:
        DataError: like `list_folder`.
    """
    alone = folder if folder.name in TEST_FOLDERS else _test_folder(folder)
    if alone is None or (folder / "train").is_dir():
        classes, _, test = list_folder(folder)
        return classes, test
    with _os_error_as_data_error(folder):
        layout = _layout(alone)
        files = [(file, label) for label, name in enumerate(layout.classes) for file in _files(layout.train / name)]
    return layout.classes, files


def has_test_files(folder: Path) -> bool:
    """Whether a folder has pictures for tests apart, so that no split by number is needed."""
    return folder.name in TEST_FOLDERS or _test_folder(folder) is not None


def count_folder(folder: Path) -> tuple[tuple[str, ...], int]:
    """The names of the classes and the number of training pictures, as `list_folder` lists them.

    It makes and sorts no list: 50,000 files take 0.07 s instead of 0.8 s, so an open page may ask every few seconds.

    Raises:
        DataError: like `list_folder`.
    """
    total = 0
    with _os_error_as_data_error(folder):
        layout = _layout(folder)
        for name in layout.classes:
            count = sum(1 for _ in _names(layout.train / name))
            _check_count(layout, name, count)
            total += count if layout.test is not None else count - max(count // 5, 1)
    return layout.classes, total


def write_folder(target: Path, name: str, classes: Mapping[str, Sequence[Path]]) -> None:
    """Write `target/name`, a data set without a test folder, whole or not at all; the files are linked where that is possible.

    Args:
        target: a folder that does not exist yet.
        name: of the data set.
        classes: the files of each class.

    Raises:
        OSError: it cannot be written.
    """
    temporary = target.with_name(f".{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for label, files in classes.items():
            folder = temporary / name / "train" / label  # a class may be called "train" or "test"
            folder.mkdir(parents=True)
            for number, file in enumerate(files, 1):
                copy = folder / f"{number:04}{file.suffix}"
                try:
                    copy.hardlink_to(file)
                except OSError:  # a disk without hard links
                    shutil.copyfile(file, copy)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _test_folder(folder: Path) -> Path | None:
    return next((folder / name for name in TEST_FOLDERS if (folder / name).is_dir()), None)


def _layout(folder: Path) -> _Layout:
    if not folder.is_dir():
        raise DataError(f"There is no data set {str(folder)!r}: say bundled, cifar10, or the path of a folder of images.")
    is_split = (folder / "train").is_dir()
    train = folder / "train" if is_split else folder
    test = _test_folder(folder) if is_split else None
    classes = tuple(sorted(path.name for path in train.iterdir() if path.is_dir() and not path.name.startswith(".")))
    for name in classes:
        try:
            check_class_name(name)
        except SettingError as error:
            raise DataError(f"A folder in {train} cannot name a class: {error}. Rename it.") from error
    if len(classes) < 2:
        raise DataError(f"{train} needs at least two folders of pictures, one for each class; it has {len(classes)}.")
    return _Layout(classes, train, test)


def _split(files: list[Path]) -> tuple[list[Path], list[Path]]:
    """Training and test pictures of a class without a test folder: every fifth, or the last of fewer than five."""
    test = files[4::5] or files[-1:]
    is_test = set(test)
    return [file for file in files if file not in is_test], test


def _check_count(layout: _Layout, name: str, count: int) -> None:
    if count < 2:
        raise DataError(f"Class {name!r} of {layout.train} needs at least two pictures; it has {count}.")


def _files(folder: Path) -> list[Path]:
    return sorted(Path(parent, name) for parent, name in _names(folder))


def _names(folder: Path) -> Iterator[tuple[str, str]]:
    """(folder, name) of each picture in a folder and in the folders beneath; none if there is no such folder."""

    def refuse(error: OSError) -> None:
        raise error

    if folder.is_dir():
        for parent, _, names in os.walk(folder, onerror=refuse):
            yield from ((parent, name) for name in names if _is_picture(name))


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(PICTURE_SUFFIXES)
