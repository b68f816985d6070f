"""Drives one ASGI layer without a server: a scope and the parts of a body in, the answer out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Answer:
    """What came back."""

    status: int = 0
    headers: Headers = field(default_factory=Headers)
    chunks: list[bytes] = field(default_factory=list)

    @property
    def text(self) -> str:
        return b"".join(self.chunks).decode()


def http(
    method: str = "GET", path: str = "/", headers: Iterable[tuple[str, str]] = (("host", "localhost"),), **more: Any
) -> Scope:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http", "method": method, "path": path, "query_string": b"", "headers": raw, "state": {}, **more}


async def send_to(app: ASGIApp, scope: Scope, body: Iterable[bytes] = (b"",), *, ends: bool = True) -> Answer:
    """Send a request; where it does not end, the client sends no more after the body's last part and waits."""
    answer, parts = Answer(), list(body)

    async def receive() -> Message:
        if parts:
            chunk = parts.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(parts) or not ends}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert answer.status == 0, "two answers to one request"
            answer.status, answer.headers = message["status"], Headers(raw=message["headers"])
        elif message["type"] == "http.response.body":
            answer.chunks.append(message.get("body", b""))

    await app(scope, receive, send)
    return answer


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What the coroutine gives, run in a thread: the main thread may hold the event loop of the browser tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def ask(app: ASGIApp, scope: Scope, body: Iterable[bytes] = (b"",), *, ends: bool = True) -> Answer:
    answer: Answer = run(send_to(app, scope, body, ends=ends))
    return answer


def answering(*chunks: bytes, status: int = 200, headers: dict[str, str] | None = None) -> ASGIApp:
    """An application that reads the whole request and gives this answer."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app
