"""What every tab that shows a run does with it: draw its curves, stop it, pause it, continue it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from resnet_demo.runs.service import RunService
from resnet_demo.ui.refusal import error_in_a_sentence
from resnet_demo.ui.visitor import address_of, visitor_of


def show(run: str, overlays: Sequence[str], *, follows: bool = False) -> dict[str, Any]:
    """The value of the curves. The random number makes the widget load them again.

    Args:
        run: its id; empty for none.
        overlays: the ids of others, drawn beside it.
        follows: whether the visitor has not chosen the run, so that the page switches to the one shown to everyone.
    """
    return {"run": run, "overlays": list(overlays or []), "follows": follows, "nonce": secrets.randbelow(2**31)}


def reload(curves: dict[str, Any], overlays: list[str]) -> dict[str, Any]:
    """The value of the curves that makes them load the same run again."""
    return show(run_of(curves), overlays, follows=isinstance(curves, dict) and curves.get("follows") is True)


def run_of(curves: Any) -> str:
    """The id of the run in the value of the curves; empty for none."""
    return str(curves.get("run", "")) if isinstance(curves, dict) else ""


def show_curves(curves: str, first: str) -> str:
    """The script that scrolls to a run that was started: on a phone its curves are below the button, out of sight.

    Args:
        curves: the element id of the curves.
        first: the element id of what stands above them, and is scrolled to.
    """
    return f"""() => {{
  const at = document.querySelector('#{curves} .loss').getBoundingClientRect();
  if (at.top < 0 || at.bottom > innerHeight) document.querySelector('#{first}').scrollIntoView();
}}"""


@dataclass(frozen=True)
class RunCallbacks:
    """The callbacks of the buttons beside the curves.

    Args:
        service: trains the runs and knows their records.
    """

    service: RunService

    @error_in_a_sentence
    def stop(self, curves: dict[str, Any], token: str, request: gr.Request) -> None:
        """Stop a run and keep what it learned."""
        self.service.stop(run_of(curves), visitor_of(request), token)

    @error_in_a_sentence
    def pause(self, curves: dict[str, Any], token: str, request: gr.Request) -> None:
        """Let a run wait and the next one train."""
        self.service.pause(run_of(curves), visitor_of(request), token)

    @error_in_a_sentence
    def resume(self, curves: dict[str, Any], token: str, request: gr.Request) -> None:
        """Put a paused or interrupted run back into the queue."""
        self.service.resume(run_of(curves), visitor_of(request), token, address_of(request))
