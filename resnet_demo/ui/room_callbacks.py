"""The Lab's buttons for the whole room: show a run to everyone, and clear the list of runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import gradio as gr

from resnet_demo.runs.controls import controls_for, initial_run
from resnet_demo.runs.service import RunService
from resnet_demo.ui.refusal import error_in_a_sentence
from resnet_demo.ui.run_callbacks import reload, run_of, show
from resnet_demo.ui.visitor import visitor_of

PIN = "Show this run to everyone"
UNPIN = "Stop showing it to everyone"


@dataclass(frozen=True)
class RoomCallbacks:
    """The callbacks of these buttons and of the API.

    Args:
        service: knows the runs, whose they are, and which one is shown to everyone.
    """

    service: RunService

    def pin_button(self, curves: Any) -> gr.Button:
        """The button that shows the current run to everyone, or stops showing it."""
        run = run_of(curves)
        return gr.Button(UNPIN if run and run == self.service.pinned else PIN, interactive=bool(run))

    @error_in_a_sentence
    def pin(self, curves: Any, token: str, request: gr.Request) -> None:
        """Show the current run to everyone; stop showing it if it is shown already."""
        run = run_of(curves)
        if run == self.service.pinned:
            self.service.unpin(token)
        else:
            self.service.pin(run, visitor_of(request), token)

    @error_in_a_sentence
    def plan(self, token: str, request: gr.Request) -> tuple[str, gr.Column, str]:
        """What clearing the list would delete, with the buttons to confirm or cancel."""
        clearing = self.service.plan_clearing(visitor_of(request), token)
        if not clearing.runs:
            return "", gr.Column(visible=False), clearing.plan()
        return clearing.plan(), gr.Column(visible=True), ""

    @error_in_a_sentence
    def clear(self, curves: Any, token: str, overlays: list[str], request: gr.Request) -> tuple[Any, ...]:
        """Clear the list; the page keeps its run unless that was deleted."""
        result, run = self.service.clear(visitor_of(request), token), run_of(curves)
        left = [other for other in overlays or [] if other not in result.runs]
        value = reload(curves, left)
        if run in result.runs:
            run = initial_run(self.service, "")
            value = show(run, left, follows=True)
        others = gr.Dropdown(list(controls_for(self.service, run).others), value=[other for other in left if other != run])
        return value, others, gr.Column(visible=False), result.result()

    @error_in_a_sentence
    def pin_run(
        self,
        request: gr.Request,
        run: Annotated[str, "The id of a comparison; empty to stop showing one."] = "",
        token: Annotated[str, "The teacher's token."] = "",
    ) -> Annotated[str, "'shown to everyone', or 'nothing is shown to everyone'."]:
        """Show a run to every visitor who has not chosen one, and in the projector view."""
        if not run:
            self.service.unpin(token)
            return "nothing is shown to everyone"
        self.service.pin(run, visitor_of(request), token)
        return "shown to everyone"

    @error_in_a_sentence
    def clear_runs(
        self,
        request: gr.Request,
        visitor: Annotated[str, "The word that the runs were started with."] = "",
        token: Annotated[str, "The teacher's token, which clears every visitor's runs."] = "",
    ) -> Annotated[str, "How many runs were deleted, and how many stay and why, in a sentence."]:
        """Delete the comparisons that are finished, stopped or failed: your own or, with the teacher's token, all."""
        return self.service.clear(visitor_of(request, visitor), token).result()
