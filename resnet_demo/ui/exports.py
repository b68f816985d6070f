"""A run over plain HTTP.

    GET  /runs                           the run to show to a visitor who has not chosen one
    GET  /runs/<run>?position=…          watch a run
    POST /runs/<run>/prediction          predict its result: {"choice": …}
    GET  /export/<run>/csv|json|png|zip  download it

Watching goes past Gradio's own calls of server functions: thirty watchers cost about half of what they cost there.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from resnet_demo.errors import ResNetDemoError
from resnet_demo.parsing import parse
from resnet_demo.results import plots
from resnet_demo.results.export import export_csv, export_json, export_zip
from resnet_demo.runs.audience import Audience
from resnet_demo.runs.controls import shown_runs
from resnet_demo.runs.predictions import Prediction
from resnet_demo.runs.service import RunService
from resnet_demo.runs.updates import updates_since
from resnet_demo.training.record import Record
from resnet_demo.web.sentences import MARK
from resnet_demo.web.visitor import identity_of

OURS = {MARK: "1"}
MEDIA = {
    "csv": "text/csv", "json": "application/json", "png": "image/png", "zip": "application/zip", "md": "text/markdown",
    "html": "text/html",
}  # fmt: skip
FORMS = ("csv", "json", "png", "zip")
"""The forms in which a run can be downloaded, of MEDIA."""


def add_exports(app: FastAPI, service: RunService) -> None:
    """Add the routes to the served app."""
    audience = Audience()

    @app.get("/runs/{run}")
    def watch(request: Request, run: str, position: int = 0) -> Response:
        """A run's state, its events from a position on (runs/updates.py), how many others watch it, the tally of its predictions,
        and the runs shown to everyone; 404 if there is no such run.
        """
        try:
            update, visitor = updates_since(service, run, position), identity_of(request)
            room = {"others": audience.see(run, visitor), "tally": tally(run, visitor), "shown": shown_runs(service)}
            return JSONResponse(update | room)
        except ResNetDemoError as error:
            return JSONResponse({"error": str(error)}, 404, OURS)

    @app.get("/runs")
    def default_runs() -> Response:
        """The runs shown to visitors who have not chosen one; for a page that shows no run yet."""
        return JSONResponse(shown_runs(service))

    @app.post("/runs/{run}/prediction")
    async def predict(request: Request, run: str) -> Response:
        """Record a visitor's prediction of a run (runs/predictions.py); answers with the tally, or with a sentence and status 400."""
        body, visitor = await request.body(), identity_of(request)

        def answer() -> dict[str, Any] | None:
            service.predict(run, visitor, parse(Prediction, body.decode(errors="replace")).choice)
            return tally(run, visitor)

        try:
            return JSONResponse(await run_in_threadpool(answer))
        except ResNetDemoError as error:
            return JSONResponse({"error": str(error)}, 400, OURS)

    def tally(run: str, visitor: str) -> dict[str, Any] | None:
        predictions = service.tally(run, visitor)
        return None if predictions is None else asdict(predictions)

    @app.get("/export/{run}/{form}")
    def export(run: str, form: str) -> Response:
        """One run in one form; 404 with a sentence where there is none."""
        name = f"resnet-lab-{run}.{form}"
        try:
            return export_response(form, FORMS, lambda: (name, _content(service.record(run), form, name)))
        except OSError as error:
            return PlainTextResponse(
                f"Run {run} cannot be packed ({error.strerror or error}): make room on the disk.", 507, OURS
            )


class _TemporaryFile(FileResponse):
    """Sends the whole of a file, then deletes the folder that it is in, however the request ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Without Range: a part that cannot be had would be answered before the file is deleted."""
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        try:
            await super().__call__({**scope, "headers": headers}, receive, send)
        finally:
            shutil.rmtree(Path(self.path).parent, ignore_errors=True)


def export_response(form: str, forms: Collection[str], make: Callable[[], tuple[str, bytes | str | Path]]) -> Response:
    """The response to a request for a download; 404 with a sentence if it does not exist.

    Args:
        form: the requested form.
        forms: the forms that exist, of MEDIA.
        make: returns the name of the file and its content, or the path of a temporary file, whose folder is deleted once it is
            sent. May raise ResNetDemoError.
    """
    if form not in forms:
        return PlainTextResponse(f"There is no export {form[:20]!r}: say {', '.join(forms)}.", 404, OURS)
    try:
        name, content = make()
    except ResNetDemoError as error:
        return PlainTextResponse(str(error), 404, OURS)
    if isinstance(content, Path):
        return _TemporaryFile(content, media_type=MEDIA[form], filename=name)
    return Response(content, media_type=MEDIA[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _content(record: Record, form: str, name: str) -> bytes | str | Path:
    if form != "zip":
        makers = {"csv": export_csv, "json": export_json, "png": _picture}
        return makers[form](record)
    folder = Path(tempfile.mkdtemp(prefix="resnet-lab-"))
    try:
        return export_zip(record, folder / name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _picture(record: Record) -> bytes:
    return plots.to_png(plots.curves(record.config, record.events()))
