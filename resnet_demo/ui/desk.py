"""What the Lab tab's events do: parse what the page sent, ask the laboratory, say it back."""

from __future__ import annotations

import html
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from resnet_demo.config import whole
from resnet_demo.errors import ResNetDemoError, SettingError
from resnet_demo.lab import PRESETS, LabSettings, comparison, from_outside, settings_of
from resnet_demo.training.feed import feed
from resnet_demo.training.forecast import forecast, link
from resnet_demo.training.queue import Lab
from resnet_demo.training.repeat import repeated
from resnet_demo.training.view import View, first_shown, view
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
    return list(PRESETS[preset].model_dump().values())


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


@dataclass(frozen=True)
class Desk:
    """The callbacks of the tab and of the API, at one laboratory."""

    laboratory: Lab

    def arrive(self, visitor: str | None, request: gr.Request) -> tuple[Any, ...]:
        """A page was opened: who is it, which run does its link name, which settings does it carry."""
        asked, settings = dict(request.query_params), LabSettings()
        try:
            settings = from_outside(asked["settings"]) if "settings" in asked else settings
        except ResNetDemoError as error:
            left_out = f"{error} The link's settings are left out: these are the default ones."
            gr.Warning(html.escape(left_out, quote=False), duration=None)  # it stays until it was read
        tab = gr.Tabs(selected="lab") if asked.keys() & {"run", "settings"} else gr.skip()
        shown = show(first_shown(self.laboratory, asked.get("run", "")), [])
        return visitor or secrets.token_hex(8), gr.Button(interactive=True), shown, tab, *settings.model_dump().values()

    def describe(self, *values: Any) -> tuple[str, str, gr.Timer, str | None]:
        """What these settings cost, a link that carries them, the clock, which asks again until that is measured, the preset."""
        try:
            settings = settings_from(values)
            told = forecast(self.laboratory, settings)
            return told.said, link(settings), gr.Timer(active=not told.is_measured), told.preset
        except ResNetDemoError as error:
            return html.escape(str(error), quote=False), "", gr.Timer(active=False), None

    @in_a_sentence
    def begin(self, visitor: str, token: str, overlays: list[str], *values: Any) -> dict[str, Any]:
        """Put a run in the queue and show it."""
        return show(self.laboratory.submit(comparison(settings_from(values)), visitor, token), overlays)

    @in_a_sentence
    def repeat(self, shown: dict[str, Any], visitor: str, token: str, overlays: list[str]) -> dict[str, Any]:
        """The run that is shown, once more."""
        again = repeated(self.laboratory.record(run_of(shown)).config, other_seed=False)
        return show(self.laboratory.submit(again, visitor, token), overlays)

    @in_a_sentence
    def reseed(
        self, shown: dict[str, Any], visitor: str, token: str, overlays: list[str]
    ) -> tuple[dict[str, Any], gr.Dropdown]:
        """The run that is shown, once more from other seeds, and drawn beside it."""
        beside = [*(overlays or []), run_of(shown)]
        again = repeated(self.laboratory.record(run_of(shown)).config, other_seed=True)
        run = self.laboratory.submit(again, visitor, token)
        return show(run, beside), gr.Dropdown(list(view(self.laboratory, run).others), value=beside)

    @in_a_sentence
    def stop(self, shown: dict[str, Any], visitor: str, token: str) -> None:
        """Stop a run and keep what it learnt."""
        self.laboratory.stop(run_of(shown), visitor, token)

    @in_a_sentence
    def pause(self, shown: dict[str, Any], visitor: str, token: str) -> None:
        """Let a run wait and the next one train."""
        self.laboratory.pause(run_of(shown), visitor, token)

    @in_a_sentence
    def resume(self, shown: dict[str, Any], visitor: str, token: str) -> None:
        """Put a paused or interrupted run back into the queue."""
        self.laboratory.resume(run_of(shown), visitor, token)

    def refresh(self, shown: dict[str, Any]) -> tuple[Any, ...]:
        """What stands around the curves once a run's status has changed."""
        try:
            seen = view(self.laboratory, run_of(shown))
        except SettingError as error:  # a run was deleted meanwhile: the page asks again when the next status changes
            log.debug("nothing is shown around the curves: %s", error)
            seen = View((), ())
        may = (seen.can_stop, seen.can_pause, seen.can_continue, seen.can_repeat, seen.can_repeat, seen.can_repeat)
        arms = gr.Dropdown(list(seen.arms), value=seen.arms[-1] if seen.arms else None)
        buttons = (gr.Button(interactive=allowed) for allowed in may)
        return seen.said, *buttons, arms, gr.Dropdown(list(seen.others)), [list(row) for row in seen.rows]

    @in_a_sentence
    def take_over(self, shown: dict[str, Any]) -> list[Any]:
        """The settings of the run that is shown."""
        settings = settings_of(self.laboratory.record(run_of(shown)).config)
        if settings is None:
            raise SettingError("This run is no comparison of the lab: the settings here cannot say what it trained.")
        return list(settings.model_dump().values())

    @in_a_sentence
    def keep(self, shown: dict[str, Any], arm: str, name: str) -> str:
        """Save a trained network among the user's models."""
        folder = self.laboratory.keep(run_of(shown), arm, name)
        return f"Kept as {folder.name}: Classify lists it now."

    @in_a_sentence
    def start_run(self, settings: dict[str, Any], visitor: str, token: str = "") -> str:
        """Start a comparison with these settings (the page's, by name); returns the run's id.

        `visitor` is any word of your own: with the same word you can stop the run again. A long run needs the
        teacher's token.
        """
        return self.laboratory.submit(comparison(from_outside(settings)), visitor, token)

    @in_a_sentence
    def run(self, run: str, position: int = 0) -> dict[str, Any]:
        """The state of a run, and its events from a position on."""
        return feed(self.laboratory, run, position)

    @in_a_sentence
    def stop_run(self, run: str, visitor: str, token: str = "") -> str:
        """Stop a run; another visitor's needs the teacher's token. What it learnt is kept."""
        self.laboratory.stop(run, visitor, token)
        return "stopping"
