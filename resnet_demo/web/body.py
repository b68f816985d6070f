"""Limits on the size of a request body and on the time that a client may take to send it."""

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
    bytes_of_all: int = 300 * MB  # of all bodies in memory; uploads do not count, they are written to the disk as they arrive
    files: int = 10
    seconds_idle: float = 20
    seconds: float = 300
    discarded: int = 100 * MB  # read from a body that is too large: a client that is still sending does not read the response
    discard_seconds: float = 10


class RefusedBody(MultiPartException):
    """The body breaks a limit. A MultiPartException, so that Gradio's upload parser removes its partial files."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Bodies:
    """ASGI middleware that reads request bodies only up to the limits, whether or not a header gives their length."""

    def __init__(self, app: ASGIApp, limits: BodyLimits = BodyLimits()) -> None:
        self.app = app
        self.limits = limits
        self._memory = 0  # bytes of all bodies in memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a `receive` that enforces the limits; send the refusal instead of Gradio's own response."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
            await self.app(scope, receive, send)
            return
        body = _Body(self, receive, headers, is_upload=is_upload(scope))
        response = _Response(body, send)
        try:
            await body.check(headers)
            await self.app(scope, body.receive, response.send)
        except RefusedBody:
            pass
        finally:
            self._memory -= body.memory
            if body.refusal is not None and not response.has_started:
                refusal = Refusal(body.refusal.status, body.refusal.message, scope, {"Connection": "close"})
                await refusal(scope, receive, send)

    def add_to_memory(self, count: int) -> None:
        """Count bytes of a body that arrive in memory."""
        self._memory += count

    @property
    def is_full(self) -> bool:
        """Whether the bodies in memory exceed the limit on all of them together."""
        return self._memory > self.limits.bytes_of_all


class _Body:
    """One request's body while it is being read."""

    def __init__(self, layer: Bodies, receive: Receive, headers: Headers, is_upload: bool) -> None:
        self.refusal: RefusedBody | None = None
        self.memory = 0  # bytes
        self._layer = layer
        self._limits = layer.limits
        self._receive = receive
        self._is_upload = is_upload
        self._is_whole = False
        self._read = 0
        self._deadline = asyncio.get_running_loop().time() + layer.limits.seconds
        self._parts = _Parts(headers) if is_upload else None

    async def check(self, headers: Headers) -> None:
        """Refuse a body that its headers alone show to break a limit. Raises RefusedBody."""
        is_multipart = headers.get("content-type", "").lower().startswith("multipart/")
        if is_multipart and not self._is_upload:
            raise self._refuse(415, "Files are taken at /gradio_api/upload only. Send JSON here.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._limits.bytes:
            if "expect" not in headers:  # such a client sends nothing before it has our answer
                await self._discard()
            raise self._refuse(413, _too_large(self._limits))

    async def receive(self) -> Message:
        """The next part of the body; after the last part, the client's disconnect. Raises RefusedBody."""
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
            self.memory += len(chunk)
            self._layer.add_to_memory(len(chunk))
            if self._layer.is_full:
                await self._discard()
                raise self._refuse(503, "The app is reading too much at the moment. Try again in a minute.")
        return message

    async def _next(self, seconds: float) -> Message:
        try:
            return await asyncio.wait_for(self._receive(), max(seconds, 0))
        except asyncio.TimeoutError:
            raise self._refuse(408, "The request came too slowly. Try again on a faster connection.") from None

    async def _discard(self) -> None:
        """Read and drop the rest of the body, within the limits on bytes and seconds."""
        left, end = float(self._limits.discarded), asyncio.get_running_loop().time() + self._limits.discard_seconds
        while not self._is_whole and left > 0:
            try:
                message = await asyncio.wait_for(self._receive(), max(end - asyncio.get_running_loop().time(), 0))
            except asyncio.TimeoutError:
                return
            left -= math.inf if message["type"] == "http.disconnect" else len(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)

    def _refuse(self, status: int, sentence: str) -> RefusedBody:
        if self.refusal is None:
            self.refusal = RefusedBody(status, sentence)
        return self.refusal


@dataclass
class _Response:
    """What the application sends: dropped from the moment the body is refused, unless the response has started before."""

    body: _Body
    client: Send
    has_started: bool = False

    async def send(self, message: Message) -> None:
        """Pass a message on to the client."""
        if self.body.refusal is None or self.has_started:
            self.has_started = True
            await self.client(message)


class _Parts:
    """Counts the parts of a multipart body as its chunks pass: each part begins with the boundary on a line of its own."""

    def __init__(self, headers: Headers) -> None:
        boundary = parse_options_header(headers.get("content-type", ""))[1].get(b"boundary", b"")
        self._delimiter = b"\r\n--" + boundary
        self._tail = b"\r\n"
        self._delimiters = 0

    def count(self, chunk: bytes) -> int:
        """Count the delimiters of the next chunk; returns their number so far."""
        text = self._tail + chunk
        self._delimiters += text.count(self._delimiter)
        self._tail = text[-(len(self._delimiter) - 1) :]
        return self._delimiters


def is_upload(scope: Scope) -> bool:
    """Whether the request writes files into the upload folder."""
    return scope["type"] == "http" and str(scope["path"]).rstrip("/\n").endswith("/gradio_api/upload")


def _too_large(limits: BodyLimits) -> str:
    return f"The request is too large: at most {limits.bytes // MB} MB. Send a smaller picture, or fewer."
