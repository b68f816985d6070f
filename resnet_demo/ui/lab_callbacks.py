"""What the Lab tab's events do: parse what the page sent, ask the service, say it back."""

from __future__ import annotations

import html
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, ParamSpec, TypeVar

import gradio as gr

from resnet_demo.comparison import PRESETS, LabSettings, comparison, from_outside, settings_of
from resnet_demo.errors import ResNetDemoError, SettingError
from resnet_demo.parsing import whole
from resnet_demo.runs.actions import IN_PROGRESS
from resnet_demo.runs.controls import Controls, controls_for, initial_run
from resnet_demo.runs.forecast import forecast, link
from resnet_demo.runs.permissions import visitor_name
from resnet_demo.runs.service import RunService
from resnet_demo.runs.updates import updates_since
from resnet_demo.ui.notices import warn
from resnet_demo.ui.refusal import refusal

log = logging.getLogger(__name__)
NAMES = tuple(LabSettings.model_fields)
WHOLE = {name for name, field in LabSettings.model_fields.items() if field.annotation is int}
P = ParamSpec("P")
R = TypeVar("R")


def in_a_sentence(function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose refusals reach the page and the API as one sentence."""

    @wraps(function)
    def wrapped(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return function(*arguments, **named)
        except ResNetDemoError as error:
            raise refusal(html.escape(str(error), quote=False)) from error

    return wrapped


def fill(preset: str) -> list[Any]:
    """The settings of a preset."""
    return list(PRESETS[preset].settings.model_dump().values())


def show(run: str, overlays: Sequence[str]) -> dict[str, Any]:
    """What the drawing shows: a run, and others beside it. The number makes it look anew."""
    return {"run": run, "overlays": list(overlays or []), "asked": secrets.randbelow(2**31)}


def again_shown(shown: dict[str, Any], overlays: list[str]) -> dict[str, Any]:
    """The run that is shown, looked at anew."""
    return show(run_of(shown), overlays)


def run_of(shown: Any) -> str:
    """The run that the drawing shows; empty for none."""
    return str(shown.get("run", "")) if isinstance(shown, dict) else ""


def settings_from(values: Sequence[Any]) -> LabSettings:
    """The settings as the page sent them; numbers without a fraction count as whole."""
    sent = dict(zip(NAMES, values, strict=True))
    return from_outside({name: whole(value) if name in WHOLE else value for name, value in sent.items()})


def visitor_of(request: gr.Request, word: str = "") -> str:
    """The visitor whose browser, or script, sent a request (web/visitor.py); empty where it sent no cookie."""
    return visitor_name(request.state.visitor, word)


def address_of(request: gr.Request) -> str:
    """The network address that a request came from."""
    return str(request.client.host) if request.client else ""


@dataclass(frozen=True)
class LabCallbacks:
    """The callbacks of the tab and of the API, at one service."""

    service: RunService

    def arrive(self, request: gr.Request) -> tuple[Any, ...]:
        """A page was opened: which run does its link name, which settings does it carry."""
        asked, settings = dict(request.query_params), LabSettings()
        try:
            settings = from_outside(asked["settings"]) if "settings" in asked else settings
        except ResNetDemoError as error:
            warn(f"{error} The link's settings are left out: these are the default ones.")
        tab = gr.Tabs(selected="lab") if asked.keys() & {"run", "settings"} else gr.skip()
        named = asked.get("run", "")
        run = initial_run(self.service, named)
        if named not in ("", run):
            instead = "the newest run is shown" if run else "there is no run yet"
            warn(f"There is no run {named[:80]!r} here, or no longer: {instead}.")
        return gr.Button(interactive=True), show(run, []), tab, *settings.model_dump().values()

    def describe(self, token: str, *values: Any) -> tuple[str, str, gr.Timer, str | None]:
        """What these settings cost who has this token, their link, the clock, which asks until that is measured, the preset."""
        try:
            settings = settings_from(values)
            self.service.time_networks(settings)
            told = forecast(self.service, settings, token)
            return told.text, link(settings), gr.Timer(active=not told.is_measured), told.preset
        except ResNetDemoError as error:
            return html.escape(str(error), quote=False), "", gr.Timer(active=False), None

    @in_a_sentence
    def begin(self, request: gr.Request, token: str, overlays: list[str], *values: Any) -> dict[str, Any]:
        """Put a run in the queue and show it."""
        run = self.service.submit(comparison(settings_from(values)), visitor_of(request), token, address_of(request))
        return show(run, overlays)

    @in_a_sentence
    def repeat(self, shown: dict[str, Any], token: str, overlays: list[str], request: gr.Request) -> dict[str, Any]:
        """The run that is shown, once more."""
        return show(self.service.repeat(run_of(shown), visitor_of(request), token, address_of(request)), overlays)

    @in_a_sentence
    def reseed(
        self, shown: dict[str, Any], token: str, overlays: list[str], request: gr.Request
    ) -> tuple[dict[str, Any], gr.Dropdown]:
        """The run that is shown, once more from other seeds, and drawn beside it."""
        beside = [*(overlays or []), run_of(shown)]
        run = self.service.repeat(run_of(shown), visitor_of(request), token, address_of(request), other_seed=True)
        return show(run, beside), gr.Dropdown(list(controls_for(self.service, run).others), value=beside)

    @in_a_sentence
    def stop(self, shown: dict[str, Any], token: str, request: gr.Request) -> None:
        """Stop a run and keep what it learnt."""
        self.service.stop(run_of(shown), visitor_of(request), token)

    @in_a_sentence
    def pause(self, shown: dict[str, Any], token: str, request: gr.Request) -> None:
        """Let a run wait and the next one train."""
        self.service.pause(run_of(shown), visitor_of(request), token)

    @in_a_sentence
    def resume(self, shown: dict[str, Any], token: str, request: gr.Request) -> None:
        """Put a paused or interrupted run back into the queue."""
        self.service.resume(run_of(shown), visitor_of(request), token, address_of(request))

    @in_a_sentence
    def delete(
        self, shown: dict[str, Any], token: str, overlays: list[str], request: gr.Request
    ) -> tuple[dict[str, Any], gr.Dropdown]:
        """Delete a run and show the newest of the others."""
        self.service.delete(run_of(shown), visitor_of(request), token)
        following = initial_run(self.service, "")
        others, beside = controls_for(self.service, following).others, [run for run in overlays or [] if run != following]
        return show(following, beside), gr.Dropdown(list(others), value=beside)

    def refresh(self, shown: dict[str, Any]) -> tuple[Any, ...]:
        """What stands around the curves once a run's status has changed."""
        try:
            seen = controls_for(self.service, run_of(shown))
        except SettingError as error:  # a run was deleted meanwhile: the page asks again when the next status changes
            log.debug("nothing is shown around the curves: %s", error)
            seen = Controls((), ())
        may = (seen.can_stop, seen.can_pause, seen.can_continue, seen.can_repeat, seen.can_repeat, seen.can_repeat)
        arms = gr.Dropdown(list(seen.arms), value=seen.arms[-1] if seen.arms else None)
        buttons = (gr.Button(interactive=allowed) for allowed in may)
        return seen.sentence, *buttons, arms, gr.Dropdown(list(seen.others)), [list(row) for row in seen.rows]

    @in_a_sentence
    def take_over(self, shown: dict[str, Any]) -> list[Any]:
        """The settings of the run that is shown."""
        settings = settings_of(self.service.record(run_of(shown)).config)
        if settings is None:
            raise SettingError("This run is no comparison of the lab: the settings here cannot say what it trained.")
        return list(settings.model_dump().values())

    @in_a_sentence
    def keep(self, shown: dict[str, Any], arm: str, name: str) -> str:
        """Save a trained network among the user's models."""
        folder = self.service.keep(run_of(shown), arm, name)
        return f"Kept as {folder.name}: Classify lists it now."

    @in_a_sentence
    def start_run(
        self,
        request: gr.Request,
        settings: Annotated[
            dict[str, Any], f"The settings of the comparison by name ({', '.join(NAMES)}); those left out have their defaults."
        ],
        visitor: Annotated[
            str, "Any word, to tell this script's runs from others' of the same cookie: the same stops them."
        ] = "",
        token: Annotated[str, "The teacher's token; long runs, and runs beside one that waits already, need it."] = "",
    ) -> Annotated[str, "The id of the new run."]:
        """Put a comparison of a plain and a residual network into the queue.

        The run belongs to the visitor whose cookie came with the request (gradio_client keeps it) or, without a
        cookie, to whoever has the teacher's token. One run of a visitor waits at a time.
        """
        run = comparison(from_outside(settings))
        return self.service.submit(run, visitor_of(request, visitor), token, address_of(request))

    @in_a_sentence
    def run(
        self,
        run: Annotated[str, "The id of a run; empty for the newest."] = "",
        position: Annotated[int, "How many events to leave out: the offset that the last answer gave."] = 0,
    ) -> Annotated[dict[str, Any], "The state, events from the position on, and offset, the position to ask from next."]:
        """How a run stands, and what happened in it from a position on."""
        return updates_since(self.service, run or initial_run(self.service, ""), position)

    @in_a_sentence
    def stop_run(
        self,
        request: gr.Request,
        run: Annotated[str, "The id of a run; empty for all of your own that train or wait."] = "",
        visitor: Annotated[str, "The word that the run was started with."] = "",
        token: Annotated[str, "The teacher's token, which stops any run."] = "",
    ) -> Annotated[str, "'stopping', or 'nothing to stop'."]:
        """Stop a run; what it learnt is kept. Another visitor's run needs the teacher's token."""
        name = visitor_of(request, visitor)
        in_progress = [state for state in self.service.runs(name) if state.status in IN_PROGRESS]
        selection = [run] if run else [state.id for state in in_progress if state.yours]
        for run_id in selection:
            self.service.stop(run_id, name, token)
        return "stopping" if selection else "nothing to stop"

    @in_a_sentence
    def delete_run(
        self,
        request: gr.Request,
        run: Annotated[str, "The id of a run that neither trains nor waits."],
        visitor: Annotated[str, "The word that the run was started with."] = "",
        token: Annotated[str, "The teacher's token, which deletes any run."] = "",
    ) -> Annotated[str, "The word 'deleted'."]:
        """Delete a run with its weights. Another visitor's run needs the teacher's token."""
        self.service.delete(run, visitor_of(request, visitor), token)
        return "deleted"
