"""An evaluation over plain HTTP: /evaluation/csv, json, png, md or html with the query of its address. Nothing is computed for it."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from resnet_demo.errors import ResNetDemoError, SettingError
from resnet_demo.evaluation.measurement import Measurement
from resnet_demo.evaluation.request import EvaluateRequest
from resnet_demo.parsing import parse_link
from resnet_demo.results import evaluation_export, plots
from resnet_demo.ui.engine import Engine
from resnet_demo.ui.evaluate_callbacks import allowed
from resnet_demo.ui.exports import OURS

MEDIA = {"csv": "text/csv", "json": "application/json", "png": "image/png", "md": "text/markdown", "html": "text/html"}


def add_evaluation_exports(app: FastAPI, engine: Engine) -> None:
    """Add the route to the served app."""

    @app.get("/evaluation/{form}")
    def export(form: str, request: Request) -> Response:
        """One evaluation in one form; 404 with a sentence where it is not kept."""
        if form not in MEDIA:
            return PlainTextResponse(f"There is no export {form[:20]!r}: say {', '.join(MEDIA)}.", 404, OURS)
        try:
            evaluation = allowed(parse_link(EvaluateRequest, dict(request.query_params)))
            measurements = engine.measured(evaluation)
            if measurements is None:
                raise SettingError("This evaluation is not kept here: measure it first, on the page or with evaluate.")
            content = _content(form, evaluation, measurements)
        except ResNetDemoError as error:
            return PlainTextResponse(str(error), 404, OURS)
        name = evaluation_export.file_name(evaluation, form)
        return Response(content, media_type=MEDIA[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _content(form: str, request: EvaluateRequest, measurements: list[Measurement]) -> bytes | str:
    match form:
        case "csv":
            return evaluation_export.to_csv(request, measurements)
        case "json":
            return evaluation_export.to_json(request, measurements)
        case "md":
            return evaluation_export.to_markdown(request, measurements)
        case "html":
            return evaluation_export.to_page(request, measurements, _figure)
        case _:
            return _figure(measurements[min(request.of, len(measurements) - 1)], request.models[request.of])


def _figure(measurement: Measurement, title: str) -> bytes:
    return plots.to_png(plots.evaluation(measurement, title))
