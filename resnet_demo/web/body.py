"""How much a request may bring, and how long it may take to."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resnet_demo.web.sentences import Refusal

MB = 1_000_000


@dataclass(frozen=True)
class BodyLimits:
    """Bytes, seconds and counts; SECURITY.md names them."""

    bytes: int = 30 * MB
    bytes_of_all: int = 300 * MB  # in memory at one time: everything but uploads, which go to the disk as they come
    files: int = 10
    seconds_idle: float = 20
    seconds: float = 300
    discarded: int = 100 * MB  # of a body that is too large: a client that still sends does not hear why it was refused
    discard_seconds: float = 10


class RefusedBody(MultiPartException):
    """A body that is not read on. Of this kind, so that Gradio's parser of uploads removes the files that it has begun."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Bodies:
    """The layer that reads bodies only up to the limits, with a length in the header or without one."""

    def __init__(self, app: ASGIApp, limits: BodyLimits = BodyLimits()) -> None:
        self.app = app
        self.limits = limits
        self._held = 0  # bytes of all bodies in memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a `receive` that refuses, and send the refusal in place of what Gradio makes of it."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
            await self.app(scope, receive, send)
            return
        body = _Body(self, receive, headers, is_upload=is_upload(scope))
        has_begun = False

        async def send_unless_refused(message: Message) -> None:
            nonlocal has_begun
            if body.refused is None or has_begun:
                has_begun = True
                await send(message)

        try:
            await body.check(headers)
            await self.app(scope, body.receive, send_unless_refused)
        except RefusedBody:
            pass
        finally:
            self._held -= body.held
            if body.refused is not None and not has_begun:
                refusal = Refusal(body.refused.status, body.refused.message, scope, {"Connection": "close"})
                await refusal(scope, receive, send)

    def hold(self, count: int) -> bool:
        """Count bytes that come into memory; False where there are too many."""
        self._held += count
        return self._held <= self.limits.bytes_of_all


class _Body:
    """One request's body while it is read."""

    def __init__(self, layer: Bodies, receive: Receive, headers: Headers, is_upload: bool) -> None:
        self.refused: RefusedBody | None = None
        self.held = 0
        self._layer = layer
        self._limits = layer.limits
        self._receive = receive
        self._is_upload = is_upload
        self._is_whole = False
        self._read = 0
        self._deadline = asyncio.get_running_loop().time() + layer.limits.seconds
        self._parts = _Parts(headers) if is_upload else None

    async def check(self, headers: Headers) -> None:
        """Refuse by the headers alone, where they say enough. Raises RefusedBody."""
        is_multipart = headers.get("content-type", "").lower().startswith("multipart/")
        if is_multipart and not self._is_upload:
            raise self._refuse(415, "Files are taken at /gradio_api/upload only. Send JSON here.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._limits.bytes:
            if "expect" not in headers:  # else the client waits for our answer before it sends
                await self._discard()
            raise self._refuse(413, _too_large(self._limits))

    async def receive(self) -> Message:
        """The next part. Raises RefusedBody; once the body is whole, waits for the client to leave, as it should."""
        if self._is_whole:
            return await self._receive()
        message = await self._next(min(self._limits.seconds_idle, self._deadline - asyncio.get_running_loop().time()))
        if message["type"] == "http.disconnect":
            raise self._refuse(400, "The request ended before it was whole. Send it again.")
        chunk = message.get("body", b"")
        self._is_whole = not message.get("more_body", False)
        self._read += len(chunk)
        if self._read > self._limits.bytes:
            await self._discard()
            raise self._refuse(413, _too_large(self._limits))
        if self._parts is not None and self._parts.count(chunk) > self._limits.files + 1:  # one more ends the body
            await self._discard()
            raise self._refuse(413, f"At most {self._limits.files} files can be uploaded at once. Send fewer.")
        if not self._is_upload:
            self.held += len(chunk)
            if not self._layer.hold(len(chunk)):
                await self._discard()
                raise self._refuse(503, "The app is reading too much at the moment. Try again in a minute.")
        return message

    async def _next(self, seconds: float) -> Message:
        try:
            return await asyncio.wait_for(self._receive(), max(seconds, 0))
        except asyncio.TimeoutError:
            raise self._refuse(408, "The request came too slowly. Try again on a faster connection.") from None

    async def _discard(self) -> None:
        """Take what still comes, for a while, and forget it."""
        left, end = float(self._limits.discarded), asyncio.get_running_loop().time() + self._limits.discard_seconds
        while not self._is_whole and left > 0:
            try:
                message = await asyncio.wait_for(self._receive(), max(end - asyncio.get_running_loop().time(), 0))
            except asyncio.TimeoutError:
                return
            left -= math.inf if message["type"] == "http.disconnect" else len(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)

    def _refuse(self, status: int, sentence: str) -> RefusedBody:
        self.refused = self.refused or RefusedBody(status, sentence)
        return self.refused


class _Parts:
    """Counts the parts of a multipart body as they pass: each begins with the boundary on a line of its own."""

    def __init__(self, headers: Headers) -> None:
        boundary = parse_options_header(headers.get("content-type", ""))[1].get(b"boundary", b"")
        self._delimiter = b"\r\n--" + boundary
        self._tail = b"\r\n"
        self._delimiters = 0

    def count(self, chunk: bytes) -> int:
        """The number of delimiters so far."""
        text = self._tail + chunk
        self._delimiters += text.count(self._delimiter)
        self._tail = text[-(len(self._delimiter) - 1) :]
        return self._delimiters


def is_upload(scope: Scope) -> bool:
    """Whether a request is one that puts files into the upload folder."""
    return scope["type"] == "http" and str(scope["path"]).rstrip("/").endswith("/gradio_api/upload")


def _too_large(limits: BodyLimits) -> str:
    return f"The request is too large: at most {limits.bytes // MB} MB. Send a smaller picture, or fewer."
