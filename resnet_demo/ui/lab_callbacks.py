"""The callbacks of the Lab tab and its API: parse the request, call the service, format the result."""

from __future__ import annotations

import html
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import gradio as gr

from resnet_demo.comparison import PRESETS, LabSettings, comparison, from_outside, settings_of
from resnet_demo.config import RunConfig
from resnet_demo.errors import ResNetDemoError, SettingError
from resnet_demo.paper.shapes import drawing
from resnet_demo.runs.actions import IN_PROGRESS
from resnet_demo.runs.controls import Controls, controls_for, initial_run, newest_run
from resnet_demo.runs.forecast import forecast, link
from resnet_demo.runs.updates import updates_since
from resnet_demo.ui.address import query_for
from resnet_demo.ui.form import form_values, read_form
from resnet_demo.ui.notices import warn
from resnet_demo.ui.refusal import error_in_a_sentence
from resnet_demo.ui.run_callbacks import RunCallbacks, run_of, show
from resnet_demo.ui.visitor import address_of, visitor_of

log = logging.getLogger(__name__)
NAMES = tuple(LabSettings.model_fields)


def preset_values(preset: str) -> list[Any]:
    """The values of the form for a preset."""
    return form_values(PRESETS[preset].settings)


def blocks_of(settings: LabSettings) -> dict[str, Any]:
    """The value of the widget that draws the blocks of the networks that are compared."""
    networks = dict.fromkeys(arm.model for arm in comparison(settings).arms if arm.model.residual)
    drawings = [drawing(config, settings.image_size) for config in networks]
    return {"networks": drawings, "selected": drawings[-1]["name"], "map": False}


def settings_from(values: Sequence[Any]) -> LabSettings:
    """The settings from the values of the form. Raises SettingError as `from_outside` does."""
    return from_outside(read_form(LabSettings, values))


@dataclass(frozen=True)
class LabCallbacks(RunCallbacks):
    """The callbacks of the tab and of the API."""

    def arrive(self, request: gr.Request) -> tuple[Any, ...]:
        """Open the page with the run and the settings that its address names."""
        query = query_for("lab", request.query_params)
        settings, run = _settings_of_link(query), self._run_of_link(query)
        curves = show(run, [], follows=not run or run != query.get("run"))
        return gr.Button(interactive=True), curves, *form_values(settings)

    def describe(self, token: str, *values: Any) -> tuple[str, str, gr.Timer, str | None, Any]:
        """The estimate of these settings for this token, their link, the clock, the preset they are equal to, and their blocks.

        The clock asks again until the time of a step is measured.
        """
        try:
            settings = settings_from(values)
            self.service.time_networks(settings)
            estimate = forecast(self.service, settings, token)
            clock = gr.Timer(active=not estimate.is_measured)
            return estimate.text, link(settings), clock, estimate.preset, blocks_of(settings)
        except ResNetDemoError as error:
            return html.escape(str(error), quote=False), "", gr.Timer(active=False), None, gr.skip()

    @error_in_a_sentence
    def begin(self, request: gr.Request, token: str, overlays: list[str], *values: Any) -> dict[str, Any]:
        """Put a run in the queue and show it."""
        return show(self._submit(comparison(settings_from(values)), token, request), overlays)

    @error_in_a_sentence
    def repeat(self, curves: dict[str, Any], token: str, overlays: list[str], request: gr.Request) -> dict[str, Any]:
        """Run the current run again."""
        return show(self.service.repeat(run_of(curves), visitor_of(request), token, address_of(request)), overlays)

    @error_in_a_sentence
    def reseed(
        self, curves: dict[str, Any], token: str, overlays: list[str], request: gr.Request
    ) -> tuple[dict[str, Any], gr.Dropdown]:
        """Run the current run again from other seeds, drawn beside it."""
        run = self.service.repeat(run_of(curves), visitor_of(request), token, address_of(request), other_seed=True)
        return self._show_beside(run, [*(overlays or []), run_of(curves)])

    @error_in_a_sentence
    def delete(
        self, curves: dict[str, Any], token: str, overlays: list[str], request: gr.Request
    ) -> tuple[dict[str, Any], gr.Dropdown]:
        """Delete a run and show the pinned or the newest of the others."""
        self.service.delete(run_of(curves), visitor_of(request), token)
        other = initial_run(self.service, "")
        return self._show_beside(other, [run for run in overlays or [] if run != other], follows=True)

    def refresh(self, curves: dict[str, Any]) -> tuple[Any, ...]:
        """The controls around the curves, after the status of the run changed."""
        try:
            controls = controls_for(self.service, run_of(curves))
        except SettingError as error:  # a run was deleted meanwhile: the page asks again when the next status changes
            log.debug("nothing is shown around the curves: %s", error)
            controls = Controls((), ())
        arms = gr.Dropdown(list(controls.arms), value=controls.arms[-1] if controls.arms else None)
        rows = [list(row) for row in controls.rows]
        return controls.sentence, *_buttons(controls), arms, gr.Dropdown(list(controls.others)), rows

    @error_in_a_sentence
    def take_over(self, curves: dict[str, Any]) -> list[Any]:
        """The settings of the current run."""
        settings = settings_of(self.service.record(run_of(curves)).config)
        if settings is None:
            raise SettingError("This run is no comparison of the lab: the settings here cannot say what it trained.")
        return form_values(settings)

    @error_in_a_sentence
    def keep(self, curves: dict[str, Any], arm: str, name: str, token: str, request: gr.Request) -> str:
        """Save a trained network among the user's models."""
        folder = self.service.keep(run_of(curves), arm, name, visitor_of(request), token)
        return f"Kept as {folder.name}: Classify lists it now."

    @error_in_a_sentence
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
        return self._submit(comparison(from_outside(settings)), token, request, visitor)

    @error_in_a_sentence
    def run(
        self,
        run: Annotated[str, "The id of a run; empty for the newest."] = "",
        position: Annotated[int, "How many events to leave out: the offset that the last answer gave."] = 0,
    ) -> Annotated[dict[str, Any], "The state, events from the position on, and offset, the position to ask from next."]:
        """The state of a run, and its events from a position on."""
        return updates_since(self.service, run or newest_run(self.service), position)

    @error_in_a_sentence
    def stop_run(
        self,
        request: gr.Request,
        run: Annotated[str, "The id of a run; empty for all of your own that train or wait."] = "",
        visitor: Annotated[str, "The word that the run was started with."] = "",
        token: Annotated[str, "The teacher's token, which stops any run."] = "",
    ) -> Annotated[str, "'stopping', or 'nothing to stop'."]:
        """Stop a run; what it learned is kept. Another visitor's run needs the teacher's token."""
        name = visitor_of(request, visitor)
        in_progress = [state for state in self.service.runs(name) if state.status in IN_PROGRESS]
        selection = [run] if run else [state.id for state in in_progress if state.yours]
        for run_id in selection:
            self.service.stop(run_id, name, token)
        return "stopping" if selection else "nothing to stop"

    @error_in_a_sentence
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

    def _submit(self, config: RunConfig, token: str, request: gr.Request, visitor: str = "") -> str:
        return self.service.submit(config, visitor_of(request, visitor), token, address_of(request))

    def _show_beside(self, run: str, overlays: list[str], *, follows: bool = False) -> tuple[dict[str, Any], gr.Dropdown]:
        """The value of the curves and of the list of runs to draw beside them."""
        return show(run, overlays, follows=follows), gr.Dropdown(list(controls_for(self.service, run).others), value=overlays)

    def _run_of_link(self, query: dict[str, str]) -> str:
        """The run that the address names, else the pinned or the newest, with a warning where there is no such run."""
        link_run = query.get("run", "")
        run = initial_run(self.service, link_run)
        if link_run not in ("", run):
            which = "run that the teacher shows" if run and run == self.service.pinned else "newest run"
            instead = f"the {which} is shown" if run else "there is no run yet"
            warn(f"There is no run {link_run[:80]!r} here, or no longer: {instead}.")
        return run


def _settings_of_link(query: dict[str, str]) -> LabSettings:
    """The settings that the address carries, else the default ones, with a warning where they are not valid."""
    try:
        return from_outside(query["settings"]) if "settings" in query else LabSettings()
    except ResNetDemoError as error:
        warn(f"{error} The link's settings are left out: these are the default ones.")
        return LabSettings()


def _buttons(controls: Controls) -> Iterator[gr.Button]:
    """Stop, Pause, Continue, Run again, Run again with another seed, Take over."""
    may = (controls.can_stop, controls.can_pause, controls.can_continue, *(controls.can_repeat,) * 3)
    return (gr.Button(interactive=enabled) for enabled in may)
