"""The callbacks of the Inside tab and its API: parse the request, run the experiment, format what came out."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import gradio as gr

from resnet_demo.errors import ResNetDemoError, SettingError
from resnet_demo.inference.examples import EXAMPLE_PICTURES
from resnet_demo.inside.experiments import EXPERIMENTS
from resnet_demo.inside.outcome import Outcome, frame, page
from resnet_demo.inside.request import InsideRequest
from resnet_demo.parsing import parse, parse_link, whole
from resnet_demo.ui.address import query_for, query_of
from resnet_demo.ui.background import LatestWork, WorkEnded
from resnet_demo.ui.engine import Engine
from resnet_demo.ui.form import or_none
from resnet_demo.ui.notices import warn
from resnet_demo.ui.refusal import refusal
from resnet_demo.ui.visitor import who
from resnet_demo.zoo.catalogue import available, is_hub_id

FIELDS = tuple(InsideRequest.model_fields)
Update = tuple[Any, ...]
"""The value of the widget, then the component of each field of the request, in their order."""
UNCHANGED: Update = (gr.skip(),) * len(FIELDS)


def model_choices() -> list[tuple[str, str]]:
    """(title, name) of the trained networks for CIFAR-10 that are on this machine."""
    return [(entry.title, entry.name) for entry in available() if entry.trained_on == "CIFAR-10" and not is_hub_id(entry.name)]


def picture_choices() -> list[tuple[str, str]]:
    """(title, name) of the pictures that ship."""
    return [(example.title, example.name) for example in EXAMPLE_PICTURES]


def experiment_choices() -> list[tuple[str, str]]:
    """(title, name) of the experiments."""
    return [(experiment.title, name) for name, experiment in EXPERIMENTS.items()]


def initial(engine: Engine) -> dict[str, Any]:
    """The first screen, from the numbers that ship: nothing is computed for it."""
    request = InsideRequest()
    outcome = engine.outcome(request)
    return page(request, outcome) if outcome else {"state": "empty", **frame(request), "message": "Press Run."}


def is_read(field_name: str, request: InsideRequest) -> bool:
    """Whether the experiment reads a field, so that its component is shown."""
    return field_name in ("experiment", *request.about.fields)


@dataclass
class InsideCallbacks:
    """The callbacks of the tab and of the API. A visitor's next experiment ends the one before.

    Args:
        engine: runs experiments.
    """

    engine: Engine
    _latest: LatestWork = field(default_factory=LatestWork)

    def arrive(self, request: gr.Request) -> Iterator[Update]:
        """A page was opened, perhaps with a link to an experiment."""
        query = query_for("inside", request.query_params)
        if query:
            yield from self._of_link(query, request)
        else:
            yield gr.skip(), *UNCHANGED

    def restore(self, step: gr.EventData, request: gr.Request) -> Iterator[Update]:
        """The browser went back or forward to an experiment, which the address carries."""
        yield from self._of_link(query_of(step), request)

    def run(
        self, experiment: Any, depth: Any, model: Any, second: Any, way: Any, picture: Any, layer: Any, seed: Any,
        request: gr.Request,
    ) -> Iterator[Update]:  # fmt: skip
        """Run the experiment that the components describe."""
        values = (experiment, whole(depth), model, second or "", way, picture, whole(layer), whole(seed))
        try:
            parsed = allowed(parse(InsideRequest, dict(zip(FIELDS, values, strict=True))))
        except ResNetDemoError as error:
            yield {"state": "error", "message": str(error)}, *UNCHANGED
            return
        yield from self._updates(parsed, who(request))

    def cancel(self, request: gr.Request) -> None:
        """End what is in progress; the event that shows it says so, and the widget keeps what it showed."""
        self._latest.end(who(request))

    def model_lists(self) -> tuple[Any, Any]:
        """The lists of networks, with the models that are there now."""
        models = model_choices()
        return gr.Dropdown(models), gr.Dropdown(or_none(models))

    def inside(
        self,
        request: gr.Request,
        experiment: Annotated[str, f"Which experiment: {', '.join(EXPERIMENTS)}."],
        settings: Annotated[
            dict[str, Any],
            "Settings that the experiment reads: depth (8, 14 … 110), seed, model, second, way (each, several, order), picture, layer.",
        ] = {},  # noqa: B006 - Gradio's page shows it, and nobody changes it
    ) -> Annotated[dict[str, Any], "The sentence that says what came out, its conditions, and the numbers of each figure."]:
        """An experiment on networks: why shortcuts help, or what a trained network does.

        A visitor's next experiment ends the one before.
        """
        if not isinstance(settings, dict):
            raise refusal("settings: an object with names and values.")
        try:
            parsed = allowed(parse(InsideRequest, {**settings, "experiment": experiment}))
            for step in self._steps(parsed, who(request)):
                if not isinstance(step, str):
                    return {
                        **parsed.settings,
                        "reference": parsed.about.reference,
                        "caveat": parsed.about.caveat,
                        **asdict(step),
                    }
            raise AssertionError("an experiment yields its outcome, or raises")
        except ResNetDemoError as error:
            raise refusal(html.escape(str(error), quote=False)) from error

    def _of_link(self, query: Mapping[str, str], request: gr.Request) -> Iterator[Update]:
        try:
            experiment = allowed(parse_link(InsideRequest, query))
        except ResNetDemoError as error:
            warn(f"{error} What the link asks is left out.")
            experiment = InsideRequest()
        yield from self._updates(experiment, who(request))

    def _updates(self, request: InsideRequest, visitor: str) -> Iterator[Update]:
        components = [gr.update(value=getattr(request, name), visible=is_read(name, request)) for name in FIELDS]
        try:
            for step in self._steps(request, visitor):
                if isinstance(step, str):
                    yield {"state": "loading", "message": step, **frame(request)}, *components
                    components = list(UNCHANGED)
                else:
                    yield page(request, step), *components
                    return
        except WorkEnded as ended:
            yield {"state": "stopped", "message": str(ended)}, *UNCHANGED
        except ResNetDemoError as error:
            yield {"state": "error", "message": str(error)}, *UNCHANGED

    def _steps(self, request: InsideRequest, visitor: str) -> Iterator[str | Outcome]:
        """Progress sentences, then the outcome."""
        outcome = self.engine.outcome(request)
        if outcome is not None:
            yield outcome
            return
        yield from self._latest.follow(visitor, self.engine.experiment(request))


def allowed(request: InsideRequest) -> InsideRequest:
    """The request, of models and pictures that a visitor may name. Raises SettingError for others."""
    names = {name for _, name in model_choices()}
    for model in request.models:
        if model not in names:
            raise SettingError(f"model: {model[:80]!r} is not among the networks for CIFAR-10 of this app.")
    if is_read("picture", request) and request.picture not in {name for _, name in picture_choices()}:
        raise SettingError(f"picture: {request.picture[:80]!r} is not among the pictures that ship.")
    return request
