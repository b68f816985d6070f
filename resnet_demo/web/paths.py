"""Which files of the server a request may name: uploads and the pictures that ship. No other file is opened.

Gradio checks a file description only where the caller marks it as one (`meta`), and downloads the address that a
marked `path` holds. So nothing that a caller writes into a description is passed on but the path or the data: URL.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from resnet_demo.errors import PictureError

REFUSAL = (
    "A file can only be a picture that was uploaded here and is still kept, one of the examples, or a data: URL: "
    "upload the picture (again)."
)
"""The answer to every other file, so that it does not say which files exist."""


def allowed_file(path: str, uploads: Path, examples: Collection[Path]) -> Path:
    """The file that a request names, with its links resolved.

    Args:
        path: as the request has it.
        uploads: the folder of this app's uploads; a link in it that leads out is not followed.
        examples: the pictures that ship, as absolute paths.

    Raises:
        PictureError: it is any other file, there or not.
    """
    try:
        named, plain = (Path(os.path.abspath(name)) for name in (path, uploads))  # noqa: PTH100 - resolve() follows links
        if named in examples:
            return named
        folder = uploads.resolve()
        if not (named.is_relative_to(folder) or named.is_relative_to(plain)):
            raise PictureError(REFUSAL)  # before the file system is asked about it
        found = named.resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links in a circle, until Python 3.13
        raise PictureError(REFUSAL) from error
    if not found.is_relative_to(folder):
        raise PictureError(REFUSAL)
    return found


def picture_source(value: Any) -> dict[str, str] | None:
    """What a request says a picture is: its data: URL or its path alone; None where there is no picture.

    Raises:
        PictureError: it is neither.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        path, url = value.get("path"), value.get("url")
        if isinstance(url, str) and url[:5].lower() == "data:":
            return {"url": url}
        if isinstance(path, str):
            return {"path": path}
    raise PictureError(REFUSAL)


def refuse_files(value: Any) -> None:
    """Refuse a value of JSON, however deep, that Gradio would take for a file: no input but a picture is one.

    Raises:
        PictureError: there is a description of a file in it.
    """
    remaining = [value]
    while remaining:
        part = remaining.pop()
        if isinstance(part, dict):
            if "path" in part and "meta" in part:
                raise PictureError(REFUSAL)
            remaining += part.values()
        elif isinstance(part, (list, tuple)):
            remaining += part
