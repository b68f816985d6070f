"""The test pictures of a data set by number, as evaluation/testset.py numbers them, without reading the others. No torch here."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from resnet_demo.data import cifar10
from resnet_demo.data.folders import list_test_files
from resnet_demo.data.image import decode, read_encoded
from resnet_demo.errors import DataError, PictureError
from resnet_demo.files import expand_home
from resnet_demo.hub import fetch

SMALL = 96
"""Pixels of the longer side up to which a picture is sent as it is."""


def count(source: str) -> int:
    """The number of test pictures. Raises as `encoded`."""
    return len(_files(source)) if source not in ("bundled", "cifar10") else _rows(_parquet(source))


def encoded(source: str, numbers: Sequence[int]) -> list[bytes]:
    """The files of some pictures.

    Args:
        source: bundled, cifar10 or the path of a folder.
        numbers: of the pictures.

    Raises:
        DataError: the data is not on this machine, or does not have that many pictures.
        PictureError: a file cannot be read.
    """
    try:
        if source in ("bundled", "cifar10"):
            return _of_parquet(_parquet(source), numbers)
        files = _files(source)
        return [read_encoded(files[number]) for number in numbers]
    except IndexError as error:
        raise DataError(f"{Path(source).name} does not have a picture of number {max(numbers, default=0)}.") from error
    except OSError as error:
        raise PictureError(f"A picture of {Path(source).name} cannot be read: {error.strerror or error}.") from error


def thumbnails(source: str, numbers: Sequence[int]) -> list[str]:
    """Small copies of some pictures as data: URLs; empty for those that cannot be read any more. Raises as `encoded`."""
    return [_thumbnail(file) for file in encoded(source, numbers)]


def _thumbnail(file: bytes) -> str:
    try:
        picture = decode(file)
    except PictureError:
        return ""
    kind = picture.format or ""
    if max(picture.size) > SMALL or kind not in ("PNG", "WEBP", "JPEG"):
        small = picture.convert("RGB")
        small.thumbnail((SMALL, SMALL))
        content = io.BytesIO()
        small.save(content, "JPEG", quality=85)
        file, kind = content.getvalue(), "JPEG"
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file).decode()}"


def _files(source: str) -> list[Path]:
    return [path for path, _ in list_test_files(expand_home(source))[1]]


def _parquet(source: str) -> Path:
    if source == "bundled":
        return cifar10.BUNDLED_FILES["test"]
    path = fetch.cached_path(cifar10.REPOSITORY, cifar10.FILES["test"], "dataset")
    if path is None:
        raise DataError(
            "CIFAR-10 is not on this machine, or no longer: measure a model on it first, or fetch it with "
            '"python -m resnet_demo prefetch --data cifar10".'
        )
    return path


def _rows(path: Path) -> int:
    import pyarrow.parquet

    return int(pyarrow.parquet.read_metadata(path).num_rows)


def _of_parquet(path: Path, numbers: Sequence[int]) -> list[bytes]:
    import pyarrow
    import pyarrow.parquet

    try:
        column = pyarrow.parquet.read_table(path, columns=["img"])["img"].combine_chunks().field("bytes")
    except (pyarrow.ArrowException, KeyError) as error:
        raise DataError(f"{path} is not a CIFAR-10 file in the Hub's layout: {error}") from error
    if any(not 0 <= number < len(column) for number in numbers):
        raise IndexError
    return [column[number].as_py() for number in numbers]
