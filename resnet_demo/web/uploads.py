"""What visitors keep in the upload folder: so much each, so much in all, and the oldest files go first.

Gradio names the files that an upload made in its answer; this layer writes them down as it passes. The folder must be this
app's alone: app.py gives it one, and empties it at the start.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resnet_demo.web.body import MB, BodyLimits, is_upload
from resnet_demo.web.sentences import Refusal

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UploadLimits:
    """Bytes and counts; SECURITY.md names them."""

    bytes_of_visitor: int = 100 * MB
    bytes_of_all: int = 1000 * MB
    files_of_visitor: int = 50
    free: int = 500 * MB  # left on the disk for runs and their checkpoints


@dataclass(frozen=True)
class UploadedFile:
    """One file in the folder, and whose it is."""

    visitor: str
    size: int


class Uploads:
    """The layer around uploads.

    Args:
        app: the next layer.
        folder: where Gradio keeps uploads.
        limits: how much may lie there.
        free: gives the free bytes of the disk on which a folder lies.
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
        """Make room for an upload before it comes, and note what it left."""
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
        with self._expect(UploadedFile(visitor, size)):
            await self.app(scope, receive, answer.send)
        self._note(answer.paths(), visitor)

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
        """Keep room for an upload while it comes."""
        self._arriving.append(upload)
        try:
            self._make_room(upload.visitor)
            yield
        finally:
            self._arriving.remove(upload)

    def _make_room(self, visitor: str) -> None:
        """Delete the visitor's oldest files, then anybody's, until the limits hold with what is on its way."""
        own = [path for path, file in self._files.items() if file.visitor == visitor]
        while own and (self._sum(visitor) > self.limits.bytes_of_visitor or len(own) > self.limits.files_of_visitor):
            self._delete(own.pop(0))
        while self._files and self._sum() > self.limits.bytes_of_all:
            self._delete(next(iter(self._files)))

    def _sum(self, visitor: str | None = None) -> int:
        files = (*self._files.values(), *self._arriving)
        return sum(file.size for file in files if visitor in (None, file.visitor))

    def _note(self, paths: list[Path], visitor: str) -> None:
        for path in paths:
            self._files.pop(path, None)  # the same picture again: it is new again
            if path.is_relative_to(self.folder) and path.is_file():
                self._files[path] = UploadedFile(visitor, path.stat().st_size)
        self._make_room(visitor)

    def _delete(self, path: Path) -> None:
        del self._files[path]
        try:
            path.unlink(missing_ok=True)
            path.parent.rmdir()  # Gradio gives each file a folder
        except OSError as error:
            log.info("%s stays: %s", path.parent, error)


def visitor_of(scope: Scope) -> str:
    """Who sends a request: as the visitors' layer names them, else the address it comes from."""
    visitor = scope.get("state", {}).get("visitor")
    client = scope.get("client") or ("", 0)
    return str(visitor or client[0])


class _Copy:
    """Passes an answer on and keeps its text."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 0
        self._body = b""

    async def send(self, message: Message) -> None:
        """Take one message of the answer."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
        else:
            self._body += message.get("body", b"")
        await self._send(message)

    def paths(self) -> list[Path]:
        """The files that the answer names: none where it refuses."""
        if self._status != 200:
            return []
        names = json.loads(self._body)
        return [Path(name) for name in names] if isinstance(names, list) else []
