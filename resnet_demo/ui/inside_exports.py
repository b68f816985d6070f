"""An experiment over plain HTTP: /inside/csv or png with the query of its address. Nothing is computed for it."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from resnet_demo.errors import ResNetDemoError, SettingError
from resnet_demo.inside.outcome import to_csv
from resnet_demo.inside.request import InsideRequest
from resnet_demo.parsing import parse_link
from resnet_demo.results import plots
from resnet_demo.ui.engine import Engine
from resnet_demo.ui.exports import OURS
from resnet_demo.ui.inside_callbacks import allowed

MEDIA = {"csv": "text/csv", "png": "image/png"}


def add_inside_exports(app: FastAPI, engine: Engine) -> None:
    """Add the route to the served app."""

    @app.get("/inside/{form}")
    def export(form: str, request: Request) -> Response:
        """One experiment in one form; 404 with a sentence where its outcome is not kept."""
        if form not in MEDIA:
            return PlainTextResponse(f"There is no export {form[:20]!r}: say {', '.join(MEDIA)}.", 404, OURS)
        try:
            experiment = allowed(parse_link(InsideRequest, dict(request.query_params)))
            outcome = engine.outcome(experiment)
            if outcome is None:
                raise SettingError("This experiment is not kept here: run it first, on the page or with inside.")
        except ResNetDemoError as error:
            return PlainTextResponse(str(error), 404, OURS)
        title = experiment.about.title
        content = to_csv(outcome) if form == "csv" else plots.to_png(plots.experiment(outcome, title))
        name = f"inside-{experiment.experiment}.{form}"
        return Response(content, media_type=MEDIA[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})
