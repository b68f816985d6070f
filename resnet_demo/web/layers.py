"""The layers that every request passes, the outermost first, and how they come before Gradio's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware

from resnet_demo.web.body import Bodies
from resnet_demo.web.guard import Guard, Site
from resnet_demo.web.sentences import Sentences
from resnet_demo.web.uploads import Uploads
from resnet_demo.web.visitor import VisitorCookie


def layers(site: Site, upload_folder: Path, key: bytes) -> list[Middleware]:
    """Which requests are let in, who sends them, how much they may bring, what may be kept, and how errors are worded.

    Args:
        site: the names by which the app may be called.
        upload_folder: what the limits on uploads count.
        key: signs the cookies of visitors.
    """
    return [
        Middleware(Guard, site=site),
        Middleware(VisitorCookie, key=key),
        Middleware(Bodies),
        Middleware(Uploads, folder=upload_folder),
        Middleware(Sentences),
    ]


def before_gradios(middleware: Sequence[Middleware]) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """A lifespan for `launch(app_kwargs={"lifespan": …})` that puts layers around the whole application.

    `app_kwargs={"middleware": …}` would put them within Gradio's, whose CORS layer answers before them and lets every
    site read. A lifespan begins before the port is open, and after all other layers are there.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        for layer in reversed(middleware):
            assert app.middleware_stack is not None  # the lifespan itself came through it
            app.middleware_stack = layer.cls(app.middleware_stack, *layer.args, **layer.kwargs)
        yield

    return lifespan
