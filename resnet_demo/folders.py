"""A folder of pictures as a data set: which files are whose, without reading one. No torch here."""

from __future__ import annotations

from pathlib import Path

from resnet_demo.errors import DataError

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".heic", ".heif"}


def list_folder(folder: Path) -> tuple[tuple[str, ...], list[tuple[Path, int]], list[tuple[Path, int]]]:
    """The names of the classes, and the training and the test files with their labels.

    `folder/<class>/*.jpg`, or `folder/train/<class>/…` and `folder/test/<class>/…`; without a test folder, every fifth
    picture of each class, in the order of the names, is for the test.

    Raises:
        DataError: no such folder, fewer than two classes, or a class with fewer than two pictures.
    """
    if not folder.is_dir():
        raise DataError(f"There is no data set {str(folder)!r}: say bundled, cifar10, or the path of a folder of images.")
    split = (folder / "train").is_dir()
    test_root = next((folder / name for name in ("test", "val", "valid") if (folder / name).is_dir()), None) if split else None
    root = folder / "train" if split else folder
    classes = tuple(sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")))
    if len(classes) < 2:
        raise DataError(f"{root} needs at least two folders of pictures, one for each class; it has {len(classes)}.")
    train: list[tuple[Path, int]] = []
    test: list[tuple[Path, int]] = []
    for label, name in enumerate(classes):
        files = _pictures(root / name)
        if len(files) < 2:
            raise DataError(f"Class {name!r} of {root} needs at least two pictures; it has {len(files)}.")
        if test_root is None:
            last = len(files) - 1
            for index, file in enumerate(files):
                (test if index % 5 == 4 or index == last < 4 else train).append((file, label))
        else:
            train += [(file, label) for file in files]
            test += [(file, label) for file in _pictures(test_root / name)]
    return classes, train, test


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
    )
