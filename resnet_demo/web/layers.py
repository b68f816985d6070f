"""The ASGI middleware of the app, outermost first, and how it is put around Gradio's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from resnet_demo.web.body import Bodies
from resnet_demo.web.guard import Guard, Site
from resnet_demo.web.sentences import Sentences
from resnet_demo.web.uploads import Uploads
from resnet_demo.web.visitor import VisitorCookie

MIN_BYTES_TO_COMPRESS = 2_000
GZIP_LEVEL = 5  # the page, 849 kB: 206 kB in 14 ms; at level 9, 203 kB in 31 ms


def layers(site: Site, upload_folder: Path, key: bytes) -> list[Middleware]:
    """The middleware: allowed hosts, compression, visitors' identities, limits on bodies and uploads, wording of errors.

    Args:
        site: the names under which the app is reachable.
        upload_folder: the folder whose size the upload limits restrict.
        key: the key that signs the cookies of visitors.
    """
    return [
        Middleware(Guard, site=site),
        Middleware(GZipMiddleware, minimum_size=MIN_BYTES_TO_COMPRESS, compresslevel=GZIP_LEVEL),
        Middleware(VisitorCookie, key=key),
        Middleware(Bodies),
        Middleware(Uploads, folder=upload_folder),
        Middleware(Sentences),
    ]


def before_gradios(middleware: Sequence[Middleware]) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """A lifespan for `launch(app_kwargs={"lifespan": …})` that wraps the whole application in middleware.

    `app_kwargs={"middleware": …}` would put it inside Gradio's, whose CORS middleware responds first and allows every
    site to read. A lifespan starts before the port opens and after all other middleware is installed.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        for layer in reversed(middleware):
            assert app.middleware_stack is not None  # the lifespan event passed through it
            app.middleware_stack = layer.cls(app.middleware_stack, *layer.args, **layer.kwargs)
        yield

    return lifespan
