"""The callbacks of the Evaluate tab and its API: parse the request, measure, format the numbers."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import gradio as gr
from huggingface_hub import constants

from resnet_demo.comparison import allowed_data
from resnet_demo.data import cifar10
from resnet_demo.errors import ResNetDemoError, SettingError
from resnet_demo.evaluation.measurement import Measurement
from resnet_demo.evaluation.request import EvaluateRequest
from resnet_demo.inference import networks
from resnet_demo.parsing import parse, parse_link
from resnet_demo.results.evaluation import values
from resnet_demo.results.evaluation_page import gallery, page
from resnet_demo.ui.address import fields_of, query_for, query_of
from resnet_demo.ui.background import LatestWork, WorkEnded
from resnet_demo.ui.engine import Engine
from resnet_demo.ui.form import or_none
from resnet_demo.ui.notices import warn
from resnet_demo.ui.refusal import refusal
from resnet_demo.ui.visitor import who

Update = tuple[Any, Any, Any, Any, Any]
"""The values of the two widgets, and the three lists: network, second network, data."""
UNCHANGED = (gr.skip(),) * 5
WAIT = "Waiting for the pictures."


def data_choices() -> list[tuple[str, str]]:
    """(title, source) of the data that a visitor may measure on."""
    note = "" if cifar10.is_test_local() else f": {cifar10.TEST_MEGABYTES} MB to download"
    note = ": not here" if note and constants.HF_HUB_OFFLINE else note
    titles = {"bundled": "CIFAR-10, 1,000 test images that ship", "cifar10": f"CIFAR-10, all 10,000 test images{note}"}
    return [(titles.get(source, Path(source).name), source) for source in allowed_data()]


def initial(engine: Engine) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first screen, from the answers that ship: nothing is computed for it. It is empty if none ship."""
    request = EvaluateRequest(model=networks.choices()[0][1])
    measurements = engine.measured(request)
    if measurements is None:
        return {"state": "empty", "message": "Choose a network and press Measure."}, {"state": "empty"}
    return page(request, measurements), gallery(request, measurements)


@dataclass
class EvaluateCallbacks:
    """The callbacks of the tab and of the API. They remember the latest evaluation of each visitor, which ends the one before.

    Args:
        engine: measures models.
    """

    engine: Engine
    _latest: LatestWork = field(default_factory=LatestWork)

    def model_lists(self) -> tuple[Any, Any]:
        """The lists of networks, with the models that are there now."""
        models = networks.choices()
        return gr.Dropdown(models), gr.Dropdown(or_none(models))

    def arrive(self, request: gr.Request) -> Iterator[Update]:
        """A page was opened, perhaps with a link to an evaluation."""
        query = query_for("evaluate", request.query_params)
        if query:
            yield from self._of_link(query, request)
        else:
            yield UNCHANGED

    def restore(self, step: gr.EventData, request: gr.Request) -> Iterator[Update]:
        """The browser went back or forward to an evaluation, which the address carries."""
        yield from self._of_link(query_of(step), request)

    def measure(self, model: str, second: str, data: str, request: gr.Request) -> Iterator[Update]:
        """Measure what the lists select."""
        try:
            evaluation = allowed(parse(EvaluateRequest, {"model": model, "second": second or "", "data": data}))
        except ResNetDemoError as error:
            yield {"state": "error", "message": str(error)}, *UNCHANGED[1:]
            return
        yield from self._updates(evaluation, who(request))

    def show(self, click: gr.EventData) -> dict[str, Any]:
        """The pictures behind a number."""
        try:
            request = allowed(parse(EvaluateRequest, fields_of(click)))
            measurements = self.engine.measured(request)
            if measurements is None:
                raise SettingError("This evaluation is no longer kept: press Measure again.")
            return gallery(request, measurements)
        except ResNetDemoError as error:
            return {"state": "error", "message": str(error)}

    def cancel(self, request: gr.Request) -> None:
        """End what is in progress; the event that shows it says so, and the widget keeps what it showed."""
        self._latest.end(who(request))

    def evaluate(
        self,
        request: gr.Request,
        models: Annotated[list[str], "The networks to measure, at most four, as Classify names them."],
        data: Annotated[
            str, "bundled (1,000 test images that ship), cifar10 (all 10,000), or a folder that the app allows."
        ] = "bundled",
    ) -> Annotated[
        list[dict[str, Any]], "The numbers of each network: accuracy, interval, precision, recall, F1, confusion, calibration."
    ]:
        """How good networks are on the test pictures of a data set, as fractions of 1.

        A visitor's next evaluation ends the one before.
        """
        if not isinstance(models, list) or not 1 <= len(models) <= 4:
            raise refusal("models: a list of one to four networks.")
        results = []
        try:
            for model in models:
                evaluation = allowed(parse(EvaluateRequest, {"model": model, "data": data}))
                results.append(values(model, data, self._computed(evaluation, who(request))))
        except ResNetDemoError as error:
            raise refusal(html.escape(str(error), quote=False)) from error
        return results

    def _computed(self, evaluation: EvaluateRequest, who: str) -> Measurement:
        for step in self._steps(evaluation, who):
            if isinstance(step, list):
                return step[0]
        raise AssertionError("an evaluation yields its measurements, or raises")

    def _of_link(self, query: Mapping[str, str], request: gr.Request) -> Iterator[Update]:
        try:
            evaluation = allowed(parse_link(EvaluateRequest, {"model": networks.choices()[0][1], **query}))
        except ResNetDemoError as error:
            warn(f"{error} What the link asks is left out.")
            evaluation = EvaluateRequest(model=networks.choices()[0][1])
        yield from self._updates(evaluation, who(request))

    def _updates(self, request: EvaluateRequest, who: str) -> Iterator[Update]:
        lists = (gr.Dropdown(value=request.model), gr.Dropdown(value=request.second), gr.Dropdown(value=request.data))
        try:
            for step in self._steps(request, who):
                if isinstance(step, str):
                    yield {"state": "loading", "message": step}, gr.skip(), *lists
                else:
                    yield page(request, step), gallery(request, step), *lists
                    return
        except WorkEnded as ended:
            yield {"state": "stopped", "message": str(ended)}, *UNCHANGED[1:]
        except ResNetDemoError as error:
            yield {"state": "error", "message": str(error)}, *UNCHANGED[1:]

    def _steps(self, request: EvaluateRequest, who: str) -> Iterator[str | list[Measurement]]:
        """Progress sentences, then the measurements."""
        cached = self.engine.measured(request)
        if cached is not None:
            yield cached
            return
        yield from self._latest.follow(who, self.engine.measure(request))


def allowed(request: EvaluateRequest) -> EvaluateRequest:
    """The request, of models and data that a visitor may name. Raises SettingError for others."""
    names = {name for _, name in networks.choices()}
    for model in request.models:
        if model not in names:
            raise SettingError(f"model: {model[:80]!r} is not among the models of this app.")
    if request.data not in allowed_data():
        raise SettingError(f"data: {request.data[:80]!r} is not among the data of this app.")
    return request
