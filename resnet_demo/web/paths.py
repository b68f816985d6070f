"""The files of the server that a request may name: uploads and bundled pictures. No other file is opened.

Gradio validates a file description only if the caller marks it as one (`meta`), and downloads the URL in a marked
`path`. So only the path or the data: URL of a description is passed on.
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
"""The response for every other file, whether or not it exists, so that it does not reveal which files exist."""


def allowed_file(path: str, uploads: Path, examples: Collection[Path]) -> Path:
    """The file that a request names, with symbolic links resolved.

    Args:
        path: the path in the request.
        uploads: the folder of this app's uploads; links out of it are not followed.
        examples: the absolute paths of the bundled pictures.

    Raises:
        PictureError: the path names any other file, whether or not it exists.
    """
    try:
        target, plain = (Path(os.path.abspath(name)) for name in (path, uploads))  # noqa: PTH100 - resolve() follows links
        if target in examples:
            return target
        folder = uploads.resolve()
        if not (target.is_relative_to(folder) or target.is_relative_to(plain)):
            raise PictureError(REFUSAL)  # before any access to the file system
        file = target.resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: circular links, before Python 3.13
        raise PictureError(REFUSAL) from error
    if not file.is_relative_to(folder):
        raise PictureError(REFUSAL)
    return file


def picture_source(value: Any) -> dict[str, str] | None:
    """The data: URL or the path of a picture in a request, alone; None if there is no picture.

    Raises:
        PictureError: the value is neither.
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
    """Reject JSON that contains, at any depth, what Gradio treats as a file: only pictures are files.

    Raises:
        PictureError: the value contains a file description.
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
