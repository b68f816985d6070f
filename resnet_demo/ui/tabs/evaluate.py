"""The Evaluate tab: how good models are, where they fail, and the paper's figure beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from resnet_demo.inference import networks
from resnet_demo.ui.endpoint import add_endpoint
from resnet_demo.ui.evaluate_callbacks import EvaluateCallbacks, data_choices, initial
from resnet_demo.ui.form import or_none
from resnet_demo.ui.shell import SILENT, Shell
from resnet_demo.ui.widget import widget

TITLE = "Evaluate"
TOGETHER: dict[str, Any] = {"concurrency_id": "evaluations", "concurrency_limit": 8}


@dataclass(frozen=True)
class _Components:
    """The components of the tab that events read or change."""

    model: gr.Dropdown
    second: gr.Dropdown
    data: gr.Dropdown
    start: gr.Button
    evaluation: gr.HTML
    pictures: gr.HTML

    @property
    def request(self) -> list[Any]:
        """The request as the page shows it."""
        return [self.model, self.second, self.data]

    @property
    def outputs(self) -> list[Any]:
        """What an evaluation changes, in the order of `evaluate_callbacks.Update`."""
        return [self.evaluation, self.pictures, *self.request]


def build(shell: Shell) -> None:
    """Put the tab's components into the open Blocks and wire them."""
    callbacks = EvaluateCallbacks(shell.engine)
    first, pictures = initial(shell.engine)
    with gr.Row(elem_classes="settings-first", elem_id="evaluate"):
        with gr.Column(scale=2, min_width=280):
            models = networks.choices()
            model = gr.Dropdown(models, value=models[0][1], label="Network", elem_id="measured")
            second = gr.Dropdown(or_none(models), value="", label="Compare with", elem_id="measured-second")
            data = gr.Dropdown(data_choices(), value="bundled", label="Pictures", elem_id="measured-data")
            start = gr.Button("Measure", variant="primary", elem_id="measure")
            with gr.Accordion("What the numbers mean", open=False):
                gr.Markdown(MEANING)
        with gr.Column(scale=5, min_width=320):
            evaluation = widget("evaluation", first, label="What was measured", elem_id="evaluation")
            gallery = widget("pictures", pictures, label="Pictures behind the numbers", elem_id="pictures")
    _wire(callbacks, _Components(model, second, data, start, evaluation, gallery), shell)
    add_endpoint(callbacks.evaluate, {"models": ["resnet20-cifar10"]})


def _wire(callbacks: EvaluateCallbacks, components: _Components, shell: Shell) -> None:
    evaluation, outputs = components.evaluation, components.outputs
    components.start.click(callbacks.measure, components.request, outputs, **SILENT, **TOGETHER, trigger_mode="always_last")
    shell.page.load(callbacks.arrive, None, outputs, **SILENT, **TOGETHER)
    evaluation.restore(callbacks.restore, None, outputs, trigger_mode="multiple", **SILENT, **TOGETHER)
    evaluation.show(callbacks.show, None, components.pictures, **SILENT, trigger_mode="multiple")
    evaluation.abandon(callbacks.cancel, None, None, queue=False, **SILENT)
    shell.models_changed.refresh(callbacks.model_lists, [components.model, components.second])


MEANING = """
**Accuracy** is the share of the pictures with the right answer, and the interval is Wilson's: other pictures of the same kind
would give another accuracy, and 95 of 100 such intervals hold the one on any number of pictures.

**Precision** and **recall** are counted for each class and then averaged over the classes that have pictures, with equal
weights. A class that is never named has a precision of 0. **Top-5** is shown from 20 classes on: among ten, five answers are
half of all.

**The matrix** has a row for each right class and a column for each answer. Its diagonal is what is right. Click a cell, or walk
with the arrow keys and press Enter, to see its pictures.

**The reliability diagram** groups the answers by the share of the softmax of the class that they name, in 15 groups of equal
width: where a bar ends below the line, the network is surer than it is right. The calibration error is the mean distance from
the line, weighted by pictures.

**Two networks** on the same pictures are compared by McNemar's exact test: only the pictures count on which one is right and
the other is not.

Answers are kept on this machine by hashes of weights, preprocessing and pictures, so asking again takes no time.
"""
