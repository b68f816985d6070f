"""Limits on the upload folder, for each visitor and for all together; the oldest files are deleted first.

Gradio's response to an upload names its files; this middleware reads them from there. No other app may use the folder:
app.py creates it for this app and empties it at the start.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resnet_demo.web.body import MB, BodyLimits, is_upload
from resnet_demo.web.sentences import Refusal

log = logging.getLogger(__name__)
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class UploadLimits:
    """Bytes and counts; SECURITY.md names them."""

    bytes_of_visitor: int = 100 * MB
    bytes_of_all: int = 1000 * MB
    files_of_visitor: int = 50
    free: int = 500 * MB  # left on the disk for runs and their checkpoints


@dataclass(frozen=True)
class UploadedFile:
    """The owner and the size in bytes of one file in the folder."""

    visitor: str
    size: int


class Uploads:
    """ASGI middleware around uploads.

    Args:
        app: the next middleware.
        folder: the folder in which Gradio stores uploads.
        limits: the limits on its content.
        free: returns the free bytes on the disk of a folder.
    """

    def __init__(
        self,
        app: ASGIApp,
        folder: Path,
        limits: UploadLimits = UploadLimits(),
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.app = app
        self.folder = folder.resolve()
        self.limits = limits
        self._free = free
        self._files: dict[Path, UploadedFile] = {}  # the oldest first
        self._arriving: list[UploadedFile] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make room for an upload before it arrives, and register its files afterwards."""
        if not is_upload(scope):
            await self.app(scope, receive, send)
            return
        visitor = visitor_of(scope)
        length = Headers(scope=scope).get("content-length", "")
        size = int(length) if length.isdecimal() else BodyLimits.bytes
        refusal = self._refusal(scope, visitor, size)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        answer = _Copy(send)
        began = time.time()
        try:
            with self._expect(UploadedFile(visitor, size)):
                await self.app(scope, receive, answer.send)
        finally:
            self._register(answer.paths(), visitor)
            await run_in_threadpool(self._delete_unnamed, began, bool(answer.paths()))

    def _refusal(self, scope: Scope, visitor: str, size: int) -> Refusal | None:
        arriving = sum(file.size for file in self._arriving)
        own = sum(file.size for file in self._arriving if file.visitor == visitor)
        self.folder.mkdir(parents=True, exist_ok=True)
        if own + size > self.limits.bytes_of_visitor:
            return Refusal(429, "Too many uploads of yours are on their way. Wait until they are done, then try again.", scope)
        if arriving + size > self.limits.bytes_of_all:
            return Refusal(503, "Too many uploads are on their way. Try again in a minute.", scope)
        if self._free(self.folder) - arriving - size < self.limits.free:
            return Refusal(
                507, "The server's disk is nearly full, so it takes no upload now. Tell whoever runs this app.", scope
            )
        return None

    @contextmanager
    def _expect(self, upload: UploadedFile) -> Iterator[None]:
        """Reserve room for an upload while it arrives."""
        self._arriving.append(upload)
        try:
            self._make_room(upload.visitor)
            yield
        finally:
            self._arriving.remove(upload)

    def _make_room(self, visitor: str) -> None:
        """Delete the visitor's oldest files, then anyone's, until the limits hold including the uploads in progress."""
        own = [path for path, file in self._files.items() if file.visitor == visitor]
        while own and (self._sum(visitor) > self.limits.bytes_of_visitor or len(own) > self.limits.files_of_visitor):
            self._delete(own.pop(0))
        while self._files and self._sum() > self.limits.bytes_of_all:
            self._delete(next(iter(self._files)))

    def _sum(self, visitor: str | None = None) -> int:
        files = (*self._files.values(), *self._arriving)
        return sum(file.size for file in files if visitor in (None, file.visitor))

    def _register(self, paths: list[Path], visitor: str) -> None:
        for path in (path.resolve() for path in paths):
            self._files.pop(path, None)  # a repeated upload counts as new
            if path.is_relative_to(self.folder) and path.is_file():
                self._files[path] = UploadedFile(visitor, path.stat().st_size)
        self._make_room(visitor)

    def _delete_unnamed(self, began: float, is_kept: bool) -> None:
        """Delete what uploads left that no answer names, so no limit counts it.

        Gradio leaves temporary files of parts with other names and of broken uploads in the folder itself, and the good
        parts of an upload that failed (`is_kept` is false) in folders named by their hash.
        """
        latest = time.time() - BodyLimits.seconds if self._arriving else time.time()  # others' uploads may be in progress
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):  # Gradio deletes files of its own meanwhile
                if path.is_file() and path.stat().st_mtime <= latest:
                    path.unlink()
                elif path.is_dir() and HASH.fullmatch(path.name) and not is_kept and not self._arriving:
                    for file in path.iterdir():
                        if file not in self._files and file.is_file() and file.stat().st_mtime >= began:
                            file.unlink()

    def _delete(self, path: Path) -> None:
        del self._files[path]
        try:
            path.unlink(missing_ok=True)
            path.parent.rmdir()  # Gradio gives each file a folder
        except OSError as error:
            log.info("%s stays: %s", path.parent, error)


def visitor_of(scope: Scope) -> str:
    """The sender of a request: the identity from VisitorCookie, else the client's address."""
    visitor = scope.get("state", {}).get("visitor")
    client = scope.get("client") or ("", 0)
    return str(visitor or client[0])


class _Copy:
    """Passes a response on and keeps a copy of its body."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 0
        self._body = b""

    async def send(self, message: Message) -> None:
        """Receive one message of the response."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
        else:
            self._body += message.get("body", b"")
        await self._send(message)

    def paths(self) -> list[Path]:
        """The files that the response names; none if it is an error."""
        if self._status != 200:
            return []
        names = json.loads(self._body)
        return [Path(name) for name in names] if isinstance(names, list) else []
