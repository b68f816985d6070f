"""What every tab is given, so that no tab needs another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.events import Dependency

from resnet_demo.data.picture_store import PictureStore
from resnet_demo.runs.service import RunService
from resnet_demo.ui.background import Background
from resnet_demo.ui.engine import Engine

SILENT: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""Options of an event that is not part of the API and draws no progress bar over its outputs."""

UNQUEUED: dict[str, Any] = {**SILENT, "queue": False, "trigger_mode": "always_last"}
"""For an event that never refuses or warns: outside the queue, an error has no sentence and a warning is lost.

Triggered while its last call is on its way, it is called again afterwards, with the inputs of that time; Gradio's default would
drop the second trigger. The second call gets the first one's event data, so this is not for callbacks that read them.
"""

_Components = Sequence[gr.components.Component]


@dataclass(frozen=True)
class ModelsChanged:
    """The event that a model was added to or removed from this machine.

    A tab that changes the models calls `after`, a tab that lists them calls `refresh`; the order does not matter.
    """

    _causes: list[Dependency] = field(default_factory=list)
    _listeners: list[tuple[Callable[..., Any], _Components, _Components | None]] = field(default_factory=list)

    def after(self, event: Dependency) -> None:
        """The models may have changed once this event's callback has ended."""
        self._causes.append(event)
        for function, outputs, inputs in self._listeners:
            event.then(function, inputs, outputs, **UNQUEUED)

    def refresh(self, function: Callable[..., Any], outputs: _Components, inputs: _Components | None = None) -> None:
        """Call the function with the values of the inputs when the models change; its results go to the outputs."""
        self._listeners.append((function, outputs, inputs))
        for event in self._causes:
            event.then(function, inputs, outputs, **UNQUEUED)


@dataclass(frozen=True)
class Shell:
    """What every tab is given. `visitor.py` says who sent a request.

    Args:
        page: the open page, into which the tab puts its components.
        service: trains runs and knows the records of all.
        background: runs slow work in a thread.
        engine: answers requests about pictures.
        pictures: keeps the visitors' own pictures.
        models_changed: the event by which tabs that list models stay up to date.
    """

    page: gr.Blocks
    service: RunService
    background: Background
    engine: Engine
    pictures: PictureStore
    models_changed: ModelsChanged = field(default_factory=ModelsChanged)
