"""What the Lab tab's events do: parse what the page sent, ask the laboratory, say it back."""

from __future__ import annotations

import html
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

import gradio as gr

from resnet_demo.errors import ResNetDemoError
from resnet_demo.lab import PAPER_STEPS, PRESETS, LabSettings, comparison, from_outside, settings_of
from resnet_demo.training.feed import feed
from resnet_demo.training.queue import Lab
from resnet_demo.training.summary import sentence

NAMES = tuple(LabSettings.model_fields)
WHOLE = {name for name, field in LabSettings.model_fields.items() if field.annotation is int}
ENDED = ("finished", "stopped", "failed", "paused", "interrupted")
LISTED = 30  # runs in the table
P = ParamSpec("P")
R = TypeVar("R")


def told(function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose refusals reach the page and the API as one sentence."""

    @wraps(function)
    def wrapped(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return function(*arguments, **named)
        except ResNetDemoError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return wrapped


def fill(preset: str) -> list[Any]:
    """The settings of a preset."""
    return list(PRESETS[preset].model_dump().values())


def show(run: str, overlays: list[str]) -> dict[str, Any]:
    """What the drawing shows: a run, and others beside it. The number makes it look anew."""
    return {"run": run, "overlays": overlays or [], "asked": secrets.randbelow(2**31)}


def again_shown(shown: dict[str, Any], overlays: list[str]) -> dict[str, Any]:
    """The run that is shown, looked at anew."""
    return show(run_of(shown), overlays)


def run_of(shown: Any) -> str:
    """The run that the drawing shows; empty for none."""
    return str(shown.get("run", "")) if isinstance(shown, dict) else ""


def settings_from(values: Sequence[Any]) -> LabSettings:
    """The settings as the page sent them; numbers without a fraction count as whole."""
    sent = dict(zip(NAMES, values, strict=True))
    return from_outside(
        {name: int(v) if name in WHOLE and isinstance(v, float) and v.is_integer() else v for name, v in sent.items()}
    )


@dataclass(frozen=True)
class Desk:
    """The callbacks of the tab and of the API, at one laboratory."""

    laboratory: Lab

    def arrive(self, visitor: str | None, request: gr.Request) -> tuple[Any, ...]:
        """A page was opened: who is it, which run does its link name, which settings does it carry."""
        asked = dict(request.query_params)
        run, settings = asked.get("run", ""), LabSettings()
        states = self.laboratory.runs()
        if run not in {state.id for state in states}:
            run = states[0].id if states else ""
        try:
            settings = from_outside(asked["settings"]) if "settings" in asked else settings
        except ResNetDemoError as error:
            gr.Warning(html.escape(str(error)))
        tab = gr.Tabs(selected="lab") if asked.keys() & {"run", "settings"} else gr.skip()
        start = gr.Button(interactive=True)
        return visitor or secrets.token_hex(8), start, show(run, []), tab, *settings.model_dump().values()

    def describe(self, *values: Any) -> tuple[str, str]:
        """What these settings cost, and a link that carries them."""
        try:
            settings = settings_from(values)
            expected = self.laboratory.estimate(settings)
        except ResNetDemoError as error:
            return str(error), ""
        share = settings.steps / PAPER_STEPS
        lasts = f"About {duration(expected.seconds)} on this machine" if expected else "Its duration is not known yet"
        changed = {k: v for k, v in settings.model_dump().items() if v != LabSettings.model_fields[k].default}
        link = "?settings=" + quote(json.dumps(changed, separators=(",", ":")))
        return f"{lasts}; {share:.2%} of the paper's {PAPER_STEPS:,} iterations.", link

    def describe_time(self, *values: Any) -> str:
        """What these settings cost."""
        return self.describe(*values)[0]

    @told
    def begin(self, visitor: str, overlays: list[str], *values: Any) -> dict[str, Any]:
        """Put a run in the queue and show it."""
        return show(self.laboratory.submit(comparison(settings_from(values)), visitor), overlays)

    @told
    def stop(self, shown: dict[str, Any], visitor: str, token: str) -> None:
        """Stop a run and keep what it learnt."""
        self.laboratory.stop(run_of(shown), visitor, token or None)

    @told
    def pause(self, shown: dict[str, Any], visitor: str, token: str) -> None:
        """Let a run wait and the next one train."""
        self.laboratory.pause(run_of(shown), visitor, token or None)

    @told
    def resume(self, shown: dict[str, Any], visitor: str, token: str) -> None:
        """Put a paused or interrupted run back into the queue."""
        self.laboratory.resume(run_of(shown), visitor, token or None)

    def refresh(self, shown: dict[str, Any]) -> tuple[Any, ...]:
        """What stands around the curves once a run's status has changed."""
        run, states = run_of(shown), self.laboratory.runs()
        known = {state.id: state for state in states}
        others = gr.Dropdown([(f"{state.title} ({state.id})", state.id) for state in states if state.id != run])
        rows = [row for state in states[:LISTED] for row in self._rows(state.id, state.status)]
        if run not in known:
            idle = gr.Button(interactive=False)
            return "", idle, idle, idle, gr.Dropdown([]), others, rows
        status, record = known[run].status, self.laboratory.record(run)
        arms = [arm.name for arm in record.config.arms] if status in ("finished", "stopped") else []
        return (
            sentence(record.config, record.events()) if status in ENDED else "",
            gr.Button(interactive=status in ("waiting", "running", "paused", "interrupted")),
            gr.Button(interactive=status == "running"),
            gr.Button(interactive=status in ("paused", "interrupted", "failed", "stopped")),
            gr.Dropdown(arms, value=arms[-1] if arms else None),
            others,
            rows,
        )

    def _rows(self, run: str, status: str) -> list[list[Any]]:
        title = self.laboratory.state(run).title
        return [[run, title, status, *row] for row in self.laboratory.results(run)]

    @told
    def take_over(self, shown: dict[str, Any]) -> list[Any]:
        """The settings of the run that is shown."""
        run = run_of(shown)
        settings = settings_of(self.laboratory.record(run).config) if run else None
        return list(settings.model_dump().values()) if settings else [gr.skip() for _ in NAMES]

    @told
    def keep(self, shown: dict[str, Any], arm: str, name: str) -> str:
        """Save a trained network among the user's models."""
        folder = self.laboratory.keep(run_of(shown), arm, name)
        return f"Kept as {folder.name}: Classify lists it now."

    def watch(self, asked: Any) -> dict[str, Any]:
        """What happened in a run since a position, for the drawing; `asked` is {run, position}."""
        try:
            return feed(self.laboratory, asked["run"], asked["position"])
        except (ResNetDemoError, KeyError, TypeError) as error:
            return {"error": str(error)}

    @told
    def start_run(self, settings: dict[str, Any], visitor: str) -> str:
        """Start a comparison with these settings (the page's, by name); returns the run's id.

        `visitor` is any word of your own: with the same word you can stop the run again.
        """
        return self.laboratory.submit(comparison(from_outside(settings)), visitor)

    @told
    def run(self, run: str, position: int = 0) -> dict[str, Any]:
        """The state of a run, and its events from a position on."""
        return feed(self.laboratory, run, position)

    @told
    def stop_run(self, run: str, visitor: str, token: str = "") -> str:
        """Stop a run; another visitor's needs the teacher's token. What it learnt is kept."""
        self.laboratory.stop(run, visitor, token or None)
        return "stopping"


def duration(seconds: float) -> str:
    """A duration in words: '50 seconds', '3 minutes', '40 hours'."""
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"
