"""The pictures of a data set that a link may name, such as bundled:17: those of data that the app allows."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from resnet_demo.data import numbered
from resnet_demo.errors import DataError, PictureError
from resnet_demo.files import write_atomically
from resnet_demo.inference.examples import fingerprint

FILE_NAME = re.compile(r"picture-(\d{1,4})-(\d{1,9})\.\w+")
SIGNATURES = {b"\x89PNG": ".png", b"RIFF": ".webp", b"GIF8": ".gif", b"BM": ".bmp", b"\xff\xd8": ".jpg"}


def is_numbered(name: str) -> bool:
    """Whether the name of a picture in a link has the form DATA:NUMBER."""
    return re.fullmatch(r"(?s).+:\d{1,9}", name) is not None


def read(name: str, allowed: Collection[str]) -> bytes:
    """The file of a picture.

    Args:
        name: DATA:NUMBER.
        allowed: the data whose pictures may be shown.

    Raises:
        PictureError: the data is not allowed or not on this machine, or does not have that many pictures.
    """
    data, _, number = name.rpartition(":")
    if data not in allowed:
        raise PictureError(f"There is no data {data[:80]!r} here.")
    try:
        (file,) = numbered.encoded(data, [int(number)])
    except DataError as error:
        raise PictureError(str(error)) from error
    return file


def copy(name: str, allowed: Collection[str], folder: Path) -> tuple[str, str]:
    """The path of a copy of a picture in a folder, and its fingerprint. The copy's name leads back (`name_of`). Raises as `read`."""
    file = read(name, allowed)
    data, _, number = name.rpartition(":")
    suffix = next((suffix for start, suffix in SIGNATURES.items() if file.startswith(start)), ".jpg")
    path = folder / f"picture-{list(allowed).index(data)}-{int(number)}{suffix}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, file)  # another visitor may be reading it
    except OSError as error:
        raise PictureError(f"The picture cannot be copied ({error.strerror or error}): tell whoever runs this app.") from error
    return str(path), fingerprint(file)


def name_of(path: str, digest: str, allowed: Collection[str]) -> str:
    """The DATA:NUMBER of a copied picture; empty for a file that is not such a copy, whatever it is called.

    Args:
        path: of the file.
        digest: its fingerprint.
        allowed: as in `read`.
    """
    match = FILE_NAME.fullmatch(Path(path).name)
    if match is None or int(match[1]) >= len(allowed):
        return ""
    name = f"{list(allowed)[int(match[1])]}:{int(match[2])}"
    try:
        return name if fingerprint(read(name, allowed)) == digest else ""
    except PictureError:
        return ""
