"""The callbacks of the Transfer tab and its API: parse the request, call the service, format the result."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import gradio as gr

from resnet_demo.comparison import allowed_data
from resnet_demo.config import RunConfig
from resnet_demo.data.folders import source_of
from resnet_demo.data.picture_store import PictureStore
from resnet_demo.errors import ResNetDemoError
from resnet_demo.inference import networks
from resnet_demo.runs.transfer_forecast import transfer_forecast
from resnet_demo.runs.transfer_view import latest_transfer, transfer_controls
from resnet_demo.transfer.settings import TRANSFER, TRANSFER_PRESETS, TransferSettings, from_outside, transfer_run
from resnet_demo.ui.address import fields_of, query_for
from resnet_demo.ui.answer_callbacks import NOTHING, AnswerCallbacks, PictureInput
from resnet_demo.ui.form import form_values, read_form
from resnet_demo.ui.notices import warn
from resnet_demo.ui.refusal import error_in_a_sentence
from resnet_demo.ui.run_callbacks import RunCallbacks, run_of, show
from resnet_demo.ui.visitor import address_of, visitor_of
from resnet_demo.web.pictures import owner_of
from resnet_demo.zoo.catalogue import find, run_model

UNTRAINED = {"state": "empty", "message": "Train a network first: then it answers here.", "answers": []}
OWN_TITLE = "Own pictures"
ELSEWHERE = "The classes above are not used: the pictures to learn from are others."
OWN = "own"
"""The value of the setting `data` for the visitor's own pictures; the folder they are in is not named to anybody."""

NAMES = tuple(TransferSettings.model_fields)
FIRST = "Your own pictures"
"""The preset that the page opens with."""


def preset_values(title: str) -> list[Any]:
    """The values of the form for a preset."""
    settings = TRANSFER_PRESETS[title].settings
    return form_values(settings.model_copy(update={"data": OWN}) if title == FIRST else settings)


def show_transfer(run: str) -> dict[str, Any]:
    """The value of the curves: a run of this tab."""
    return show(run, []) | {"tab": "transfer"}


@dataclass(frozen=True)
class TransferCallbacks(RunCallbacks):
    """The callbacks of the tab and of the API.

    Args:
        pictures: the visitors' own pictures.
        answers: the callbacks of the answer about a new picture.
    """

    pictures: PictureStore
    answers: AnswerCallbacks

    def arrive(self, request: gr.Request) -> tuple[Any, ...]:
        """Open the tab with the run and the base that its address names, else with the visitor's newest transfer."""
        query = query_for("transfer", request.query_params)
        run = latest_transfer(self.service, visitor_of(request), query.get("run", ""))
        if query.get("run", run) != run:
            warn(f"There is no transfer {query['run'][:80]!r} here, or no longer: yours are shown, if there are any.")
        models = networks.choices()
        base = query.get("base", TransferSettings().base)
        if base not in [name for _, name in models]:
            warn(f"There is no network {base[:80]!r} here: the transfer starts from another one.")
            base = models[0][1]
        return gr.Button(interactive=True), show_transfer(run), gr.Dropdown(models, value=base)

    def describe(self, preset: str, token: str, request: gr.Request, *values: Any) -> str:
        """How long these settings take, and what is to be seen then."""
        try:
            config = self._config(read_form(TransferSettings, values), self.pictures.preview, request)
            text = transfer_forecast(self.service, config, preset, token)
            return text if config.title == OWN_TITLE else f"{ELSEWHERE} {text}"
        except ResNetDemoError as error:
            return html.escape(str(error), quote=False)

    @error_in_a_sentence
    def begin(self, token: str, request: gr.Request, *values: Any) -> dict[str, Any]:
        """Put a transfer into the queue and show it."""
        config = self._config(read_form(TransferSettings, values), self.pictures.copy_for_run, request)
        return show_transfer(self.service.submit(config, visitor_of(request), token, address_of(request)))

    def refresh(self, curves: dict[str, Any]) -> tuple[Any, ...]:
        """The controls around the curves, after the status of the run changed."""
        run = run_of(curves)
        controls = transfer_controls(self.service, run)
        buttons = (controls.can_stop, controls.can_pause, controls.can_continue, controls.can_keep)
        link = (
            f'<a href="?tab=classify&amp;model={run_model(run, TRANSFER)}">Open it in Classify</a>'
            if controls.has_network
            else ""
        )
        link += " or keep it under a name." if controls.can_keep else ""
        return controls.sentence, *(gr.Button(interactive=enabled) for enabled in buttons), controls.outcome, link

    def ask(
        self, picture: PictureInput, curves: dict[str, Any], about: dict[str, Any], request: gr.Request
    ) -> Iterator[tuple[Any, Any]]:
        """What the network of the run takes a picture for, and where it looks."""
        model = self._model(curves)
        if model is None:
            yield UNTRAINED, NOTHING  # the next answer is a new one, even to the same question
            return
        for answer, _, explained, *_ in self.answers.ask(picture, model, "none", "grad-cam", False, about, request):
            yield answer, explained

    def ask_about(
        self, picture: PictureInput, curves: dict[str, Any], about: dict[str, Any], click: gr.EventData, request: gr.Request
    ) -> Iterator[tuple[Any, Any]]:
        """Explain the class that was clicked."""
        yield from self.ask(picture, curves, about | {"target": fields_of(click).get("target"), "target_of": 0}, request)

    @error_in_a_sentence
    def keep(self, curves: dict[str, Any], name: str, token: str, request: gr.Request) -> str:
        """Save the network among the user's models."""
        folder = self.service.keep(run_of(curves), TRANSFER, name, visitor_of(request), token)
        return (
            f"Kept as {folder.name}: [Classify](?tab=classify&model={folder.name}) lists it now. To publish it on the Hugging Face "
            f"Hub, run `python -m resnet_demo publish {folder.name} --repo USER/NAME` where the app runs."
        )

    @error_in_a_sentence
    def transfer(
        self,
        request: gr.Request,
        settings: Annotated[
            dict[str, Any],
            f"The settings by name ({', '.join(NAMES)}); those left out have their defaults. data is bundled, cifar10, or own: the "
            "pictures that this cookie's visitor has given.",
        ],
        visitor: Annotated[
            str, "Any word, to tell this script's runs from others' of the same cookie: the same stops them."
        ] = "",
        token: Annotated[str, "The teacher's token; long runs, and runs beside one that waits already, need it."] = "",
    ) -> Annotated[
        str, "The id of the new run: /run reports its progress; its last event, of the kind transfer, holds the results."
    ]:
        """Put a transfer into the queue: a trained base gets a new head for other classes.

        The run belongs to the visitor whose cookie came with the request (gradio_client keeps it) or, without a
        cookie, to whoever has the teacher's token. One run of a visitor waits at a time.
        """
        config = self._config(settings, self.pictures.copy_for_run, request)
        return self.service.submit(config, visitor_of(request, visitor), token, address_of(request))

    def _config(self, values: Mapping[str, Any], copy_pictures: Callable[[str], Path], request: gr.Request) -> RunConfig:
        """The run of these settings; where it learns from own pictures, from a copy."""
        settings = from_outside(values, (OWN, *allowed_data()))
        if settings.data != OWN:
            return transfer_run(settings)
        source = source_of(copy_pictures(owner_of(visitor_of(request))))
        return transfer_run(settings.model_copy(update={"data": source}), OWN_TITLE)

    def _model(self, curves: dict[str, Any]) -> str | None:
        """The name of the network that the run on the page has trained; None before that."""
        run = run_of(curves)
        name = run_model(run, TRANSFER)
        return name if transfer_controls(self.service, run).has_network and find(name) is not None else None
