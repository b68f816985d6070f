"""A folder of pictures as a data set: which files are whose, without reading one. No torch here."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path

from resnet_demo.errors import DataError, SettingError
from resnet_demo.parsing import check_class_name

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".heic", ".heif"}
KEPT = 8  # listings


def list_folder(folder: Path) -> tuple[tuple[str, ...], list[tuple[Path, int]], list[tuple[Path, int]]]:
    """The names of the classes, and the training and the test files with their labels.

    `folder/<class>/*.jpg`, or `folder/train/<class>/…` and `folder/test/<class>/…`; without a test folder, every fifth
    picture of each class, in the order of the names, is for the test.

    The last listings are kept, and given again while no folder in them has changed: an open page asks every few seconds.

    Raises:
        DataError: no such folder, one that may not be read, fewer than two classes, or a class with fewer than two pictures.
    """
    try:
        classes, train, test = _known(folder) or _kept(folder)
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be read: {error.strerror}.") from error
    return classes, list(train), list(test)


Files = tuple[tuple[Path, int], ...]
Listing = tuple[tuple[str, ...], Files, Files]
_LISTINGS: OrderedDict[Path, tuple[dict[Path, int], Listing]] = OrderedDict()  # with the times at which folders changed
_LOCK = threading.Lock()


def _known(folder: Path) -> Listing | None:
    with _LOCK:
        changed, listing = _LISTINGS.get(folder, ({}, None))
    return listing if all(_changed(part) == time for part, time in changed.items()) else None


def _kept(folder: Path) -> Listing:
    changed: dict[Path, int] = {}
    listing = _listed(folder, changed)
    with _LOCK:
        _LISTINGS[folder] = changed, listing
        _LISTINGS.move_to_end(folder)
        if len(_LISTINGS) > KEPT:
            _LISTINGS.popitem(last=False)
    return listing


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _listed(folder: Path, changed: dict[Path, int]) -> Listing:
    """List a folder, and note in `changed` when each folder in it did."""
    if not folder.is_dir():
        raise DataError(f"There is no data set {str(folder)!r}: say bundled, cifar10, or the path of a folder of images.")
    split = (folder / "train").is_dir()
    test_root = next((folder / name for name in ("test", "val", "valid") if (folder / name).is_dir()), None) if split else None
    root = folder / "train" if split else folder
    changed.update({part: _changed(part) for part in (folder, root, test_root or root)})
    classes = tuple(sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")))
    for name in classes:
        try:
            check_class_name(name)
        except SettingError as error:
            raise DataError(f"A folder in {root} cannot name a class: {error}. Rename it.") from error
    if len(classes) < 2:
        raise DataError(f"{root} needs at least two folders of pictures, one for each class; it has {len(classes)}.")
    train: list[tuple[Path, int]] = []
    test: list[tuple[Path, int]] = []
    for label, name in enumerate(classes):
        files = _pictures(root / name, changed)
        if len(files) < 2:
            raise DataError(f"Class {name!r} of {root} needs at least two pictures; it has {len(files)}.")
        if test_root is None:
            last = len(files) - 1
            for index, file in enumerate(files):
                (test if index % 5 == 4 or index == last < 4 else train).append((file, label))
        else:
            train += [(file, label) for file in files]
            test += [(file, label) for file in _pictures(test_root / name, changed)]
    return classes, tuple(train), tuple(test)


def _pictures(folder: Path, changed: dict[Path, int]) -> list[Path]:
    if not folder.is_dir():
        return []

    def refuse(error: OSError) -> None:
        raise error

    found = []
    for part, _, names in os.walk(folder, onerror=refuse):
        changed[Path(part)] = _changed(Path(part))
        found += [Path(part, name) for name in names if not name.startswith(".")]
    return sorted(path for path in found if path.suffix.lower() in PICTURE_SUFFIXES)
