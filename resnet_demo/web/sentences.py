"""Every error response is one sentence of ours.

`Refusal` is this response. `Sentences` is the innermost middleware: it passes our own refusals on and replaces every other
error with a sentence, in plain responses and in event streams. The cause is logged for the operator.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

TITLE = "ResNet Lab"
"""The title of every error that the page shows. Gradio's own errors never have it, so it identifies ours."""

MARK = "x-sentence"
"""The header of responses whose error is already a sentence of ours."""

MISFIT = "This request does not fit the app. Reload the page; a script finds what each call takes under 'Use via API' there."
ENDED = "The answer ended early. Reload the page and try again."
BY_STATUS: Mapping[int, tuple[int, str]] = {
    401: (401, "This request is not allowed here. Open the page anew."),
    # 403 becomes 404, so that responses do not reveal which files exist.
    403: (404, "There is no such page or file here. Go back to the first page of the app."),
    404: (404, "There is no such page or file here. Go back to the first page of the app."),
    405: (405, "This address does not take this kind of request. The page lists its calls under 'Use via API'."),
    413: (413, "The file is too large: at most 25 MB each. Send a smaller one."),
    416: (416, "The file does not have the requested range. Ask for the whole file."),
    503: (503, "Too many requests wait already. Try again in a minute."),
}


class Refusal(Response):
    """A response with one sentence: JSON for API calls, plain text for uploads and for browsers that follow a link.

    The Python and JavaScript clients read `error` or `detail`, depending on the call.
    """

    def __init__(self, status: int, sentence: str, scope: Scope, headers: Mapping[str, str] | None = None) -> None:
        is_text = str(scope.get("path", "")).endswith("/upload") or "text/html" in Headers(scope=scope).get("accept", "")
        content = sentence if is_text else json.dumps({"error": sentence, "detail": sentence, "title": TITLE})
        media_type = "text/plain" if is_text else "application/json"
        super().__init__(content, status, {MARK: "1", **(headers or {})}, media_type)


class Sentences:
    """ASGI middleware that replaces the text of every error with a sentence of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and read the status of the response before any of it is sent."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        try:
            await self.app(scope, receive, answer.send)
        except MultiPartException:  # body.py refuses this request
            raise
        except Exception:
            if answer.is_sent and not answer.is_stream:
                raise  # the server logs it and closes the connection: the response is incomplete
            log.exception("A request to %s could not be answered.", scope["path"])
        await answer.end()


class _Answer:
    """A response: passed on at once, unless it is an error of Gradio's, which is buffered."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._has_started = False
        self._error: int | None = None
        self._body = b""
        self._is_whole = False
        self.is_stream = False

    async def send(self, message: Message) -> None:
        """Receive one message from the application."""
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            self._has_started = True
            if message["status"] >= 400 and MARK not in headers:
                self._error = message["status"]
                return
            self.is_stream = headers.get("content-type", "").startswith("text/event-stream")
        elif self._error is not None:
            self._body = (self._body + message.get("body", b""))[:100_000]
            return
        elif self.is_stream and message.get("body"):
            message = {**message, "body": in_sentences(message["body"])}
        self._is_whole = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    @property
    def is_sent(self) -> bool:
        """Whether a response other than an error has started."""
        return self._has_started and self._error is None

    async def end(self) -> None:
        """Send the sentence instead of a buffered error or a missing response; end a stream that broke off."""
        if self.is_sent:
            if self.is_stream and not self._is_whole:
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        status, sentence = BY_STATUS.get(self._error or 400, (400, MISFIT))
        own = _own_error(self._body)
        await Refusal(status, own or sentence, self._scope)(self._scope, _nothing, self._send)


def in_sentences(events: bytes) -> bytes:
    """Server-sent events with the text of every error replaced."""
    if b'"success":false' not in events and b'"unexpected_error"' not in events and b"event: error" not in events:
        return events
    return b"\n\n".join(_event(event) for event in events.split(b"\n\n"))


def _event(event: bytes) -> bytes:
    head, mark, data = event.partition(b"data: ")
    if not mark:
        return event
    try:
        content = json.loads(data)
    except ValueError:
        content = None
    if head.startswith(b"event: error"):
        content = _output(content)
    elif isinstance(content, dict) and content.get("success") is False and content.get("msg") != "unexpected_error":
        content = {**content, "output": _output(content.get("output"))}
        if "title" in content:
            content["title"] = TITLE
    elif isinstance(content, dict) and content.get("msg") == "unexpected_error":
        content = {**content, "message": ENDED}
    else:
        return event
    return head + mark + json.dumps(content).encode()


def _output(output: Any) -> dict[str, Any]:
    if isinstance(output, dict) and output.get("title") == TITLE and output.get("error"):
        return output
    return {"error": MISFIT, "title": TITLE, "visible": True, "duration": 10}


def _own_error(body: bytes) -> str | None:
    """The sentence of an error that one of our callbacks raised outside the queue; its title is `TITLE`."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    is_own = isinstance(content, dict) and content.get("title") == TITLE and isinstance(content.get("error"), str)
    return str(content["error"]) if is_own else None


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
