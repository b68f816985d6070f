"""A visitor's own pictures over plain HTTP: a request has one picture or one ZIP as its body, which is never a file here.

    GET  /pictures                 the set
    GET  /pictures/<file>          one picture of it
    POST /pictures/change          JSON of `Change`
    POST /pictures/add?label&name  the bytes of a picture, or of a ZIP

Every answer is JSON: the set, with sentences about what was left out, or {"error": a sentence}. Whose set it is, the
cookie says (visitor.py); body.py limits what a request may bring.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Literal

from pydantic import Field
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from resnet_demo.data.picture_set import PictureSet
from resnet_demo.data.picture_store import PictureStore
from resnet_demo.errors import ResNetDemoError
from resnet_demo.parsing import Frozen, parse
from resnet_demo.web.sentences import MARK
from resnet_demo.web.visitor import identity_of

DECODED_AT_ONCE = 2  # pictures; each may take 100 MB while it is decoded
SECONDS_BETWEEN_SWEEPS = 600


class Change(Frozen):
    """A change of a set that brings no picture."""

    do: Literal["start", "delete", "add-class", "rename-class", "remove-class", "remove-picture"]
    name: str = Field("", max_length=200, description="Of a class, as it is now.")
    new_name: str = Field("", max_length=200, description="Of a class, after the change.")
    file: str = Field("", max_length=40, description="Of a picture.")


class Addition(Frozen):
    """Where a picture or a ZIP is added."""

    label: str = Field("", max_length=200, description="The class; empty for those that the folders of a ZIP name.")
    name: str = Field("picture", max_length=1000, description="Of the file.")


def owner_of(visitor: str) -> str:
    """The owner of a visitor's set: a hash of the identity in the cookie; empty for a request without one."""
    return hashlib.sha256(visitor.encode(errors="replace")).hexdigest()[:32] if visitor else ""


def content_of(store: PictureStore, owner: str, sentences: list[str] | None = None) -> dict[str, Any]:
    """What a page is told about a set."""
    state = store.get(owner)
    return {"own": store.is_own(owner), "sentences": sentences or [], **state.model_dump(mode="json", exclude={"created"})}


def change(store: PictureStore, owner: str, request: Change) -> None:
    """Carry out a change. Raises the errors of PictureStore."""
    changes: dict[str, Callable[[PictureSet], PictureSet]] = {
        "add-class": lambda state: state.with_new_class(request.new_name),
        "rename-class": lambda state: state.renamed(request.name, request.new_name),
        "remove-class": lambda state: state.without_class(request.name),
        "remove-picture": lambda state: state.without_picture(request.file),
    }
    if request.do == "start":
        store.start(owner)
    elif request.do == "delete":
        store.delete(owner)
    else:
        store.change(owner, changes[request.do])


def add_pictures(app: Starlette, store: PictureStore) -> None:
    """Add the routes to the served app."""
    decoders = asyncio.Semaphore(DECODED_AT_ONCE)

    async def show(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(content_of, store, _owner(request)))

    async def picture(request: Request) -> Response:
        content = await run_in_threadpool(store.picture, _owner(request), request.path_params["file"])
        kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
        return Response(content, media_type=kind, headers={"Cache-Control": "private, max-age=3600"})

    async def make_change(request: Request) -> Response:
        new = parse(Change, (await request.body()).decode(errors="replace"))
        await run_in_threadpool(change, store, _owner(request), new)
        return JSONResponse(await run_in_threadpool(content_of, store, _owner(request)))

    async def add(request: Request) -> Response:
        where, owner = parse(Addition, dict(request.query_params)), _owner(request)
        content = await request.body()
        async with decoders:
            sentences = await run_in_threadpool(store.add, owner, where.label, where.name, content)
        return JSONResponse(await run_in_threadpool(content_of, store, owner, sentences))

    app.add_route("/pictures", _in_sentences(show), ["GET"])
    app.add_route("/pictures/change", _in_sentences(make_change), ["POST"])
    app.add_route("/pictures/add", _in_sentences(add), ["POST"])
    app.add_route("/pictures/{file}", _in_sentences(picture), ["GET"])


def sweep_regularly(store: PictureStore, end: threading.Event) -> None:
    """Delete what has reached its end, now and every few minutes, until the event."""
    while True:
        with suppress(OSError):  # of a disk that is away or full for now: the next one deletes what this one has not
            store.sweep()
        if end.wait(SECONDS_BETWEEN_SWEEPS):
            return


def _owner(request: Request) -> str:
    return owner_of(identity_of(request))


def _in_sentences(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ResNetDemoError as error:
            return JSONResponse({"error": str(error)}, 400, {MARK: "1"})

    return answer
