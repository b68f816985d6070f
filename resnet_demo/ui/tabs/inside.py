"""The Inside tab: experiments that show why shortcuts help, and what a trained network does."""

from __future__ import annotations

from typing import Any

import gradio as gr

from resnet_demo.inside.request import InsideRequest
from resnet_demo.ui.endpoint import add_endpoint
from resnet_demo.ui.form import or_none
from resnet_demo.ui.inside_callbacks import (
    InsideCallbacks,
    experiment_choices,
    initial,
    is_read,
    model_choices,
    picture_choices,
)
from resnet_demo.ui.shell import SILENT, Shell
from resnet_demo.ui.widget import widget

TITLE = "Inside"
TOGETHER: dict[str, Any] = {"concurrency_id": "experiments", "concurrency_limit": 8}
WAYS = [("off one by one", "each"), ("several off at random", "several"), ("in another order", "order")]


def build(shell: Shell) -> None:
    """Put the tab's components into the open Blocks and wire them."""
    callbacks = InsideCallbacks(shell.engine)
    with gr.Row(elem_classes="settings-first", elem_id="inside"):
        with gr.Column(scale=2, min_width=280):
            fields = _fields(InsideRequest())
            start = gr.Button("Run", variant="primary", elem_id="run-experiment")
        with gr.Column(scale=5, min_width=320):
            experiment = widget("inside", initial(shell.engine), label="Experiment", elem_id="experiment")
    outputs = [experiment, *fields.values()]
    for event in (start.click, fields["experiment"].input, fields["depth"].release):
        event(callbacks.run, list(fields.values()), outputs, **SILENT, **TOGETHER, trigger_mode="always_last")
    shell.page.load(callbacks.arrive, None, outputs, **SILENT, **TOGETHER)
    experiment.restore(callbacks.restore, None, outputs, **SILENT, **TOGETHER, trigger_mode="multiple")
    experiment.abandon(callbacks.cancel, None, None, queue=False, **SILENT)
    shell.models_changed.refresh(callbacks.model_lists, [fields["model"], fields["second"]])
    add_endpoint(callbacks.inside, {"experiment": "gradients"})


def _fields(request: InsideRequest) -> dict[str, Any]:
    """The component of each field of the request, in their order; those that the experiment does not read are hidden."""
    models = model_choices()

    def options(name: str, label: str) -> dict[str, Any]:
        value = getattr(request, name)
        return {"value": value, "label": label, "elem_id": f"inside-{name}", "visible": is_read(name, request)}

    return {
        "experiment": gr.Radio(experiment_choices(), **options("experiment", "Experiment")),
        "depth": gr.Slider(8, 110, step=6, **options("depth", "Layers of both networks")),
        "model": gr.Dropdown(models, **options("model", "Network")),
        "second": gr.Dropdown(or_none(models), **options("second", "Beside it")),
        "way": gr.Radio(WAYS, **options("way", "Blocks")),
        "picture": gr.Dropdown(picture_choices(), **options("picture", "Picture")),
        "layer": gr.Slider(0, 54, step=1, **options("layer", "Layer: 0 the first, then the blocks")),
        "seed": gr.Slider(0, 99, step=1, **options("seed", "Seed of what is random")),
    }
