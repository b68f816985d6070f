"""What was measured, over plain HTTP: /evaluation/csv, json, png, md or html and /inside/csv or png, with the query of its address.

Nothing is computed for it but the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request, Response

from resnet_demo.errors import SettingError
from resnet_demo.evaluation.measurement import Measurement
from resnet_demo.evaluation.request import EvaluateRequest
from resnet_demo.inside.outcome import to_csv
from resnet_demo.inside.request import InsideRequest
from resnet_demo.parsing import parse_link
from resnet_demo.results import evaluation_export, plots
from resnet_demo.ui import evaluate_callbacks, inside_callbacks
from resnet_demo.ui.engine import Engine
from resnet_demo.ui.exports import export_response

FORMS = ("csv", "json", "png", "md", "html")
"""The forms in which an evaluation can be downloaded."""
Export = Callable[[str, Mapping[str, str]], tuple[str, bytes | str]]
"""From a form and a query: the name and the content of a file. May raise ResNetDemoError."""


def add_measured_exports(app: FastAPI, engine: Engine) -> None:
    """Add the routes to the served app."""

    def evaluation(form: str, query: Mapping[str, str]) -> tuple[str, bytes | str]:
        request = evaluate_callbacks.allowed(parse_link(EvaluateRequest, query))
        measurements = engine.measured(request)
        if measurements is None:
            raise SettingError("This evaluation is not kept here: measure it first, on the page or with evaluate.")
        return evaluation_export.file_name(request, form), _evaluation(form, request, measurements)

    def experiment(form: str, query: Mapping[str, str]) -> tuple[str, bytes | str]:
        request = inside_callbacks.allowed(parse_link(InsideRequest, query))
        outcome = engine.outcome(request)
        if outcome is None:
            raise SettingError("This experiment is not kept here: run it first, on the page or with inside.")
        content = to_csv(outcome) if form == "csv" else plots.to_png(plots.experiment(outcome, request.about.title))
        return f"inside-{request.experiment}.{form}", content

    _add(app, "/evaluation", FORMS, evaluation)
    _add(app, "/inside", ("csv", "png"), experiment)


def _add(app: FastAPI, path: str, forms: tuple[str, ...], export: Export) -> None:
    """Add the route of one kind of download."""

    @app.get(f"{path}/{{form}}")
    def answer(form: str, request: Request) -> Response:
        return export_response(form, forms, lambda: export(form, dict(request.query_params)))


def _evaluation(form: str, request: EvaluateRequest, measurements: list[Measurement]) -> bytes | str:
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
