"""The Transfer tab: a trained base learns classes of one's own, from a few pictures each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from resnet_demo.comparison import allowed_data
from resnet_demo.inference import networks
from resnet_demo.inference.examples import EXAMPLE_PICTURES
from resnet_demo.transfer.settings import TRANSFER_PRESETS, TransferSettings
from resnet_demo.ui.answer_callbacks import NOTHING, AnswerCallbacks
from resnet_demo.ui.endpoint import add_endpoint
from resnet_demo.ui.form import build_form
from resnet_demo.ui.picture import Picture
from resnet_demo.ui.run_callbacks import show_curves
from resnet_demo.ui.shell import SILENT, UNQUEUED, Shell
from resnet_demo.ui.transfer_callbacks import FIRST, OWN, UNTRAINED, TransferCallbacks, preset_values, show_transfer
from resnet_demo.ui.widget import widget

TITLE = "Transfer"
DATA = {"your own pictures": OWN, "CIFAR-10, the 5,000 images that ship": "bundled", "CIFAR-10, all 60,000": "cifar10"}
LABELS = {
    "base": "Base, the network to start from", "data": "Pictures to learn from", "image_size": "Side of the pictures",
    "hidden": "Hidden layers", "views": "Augmented views", "unfreeze": "Unfreeze last stages", "fine_epochs": "Second phase: epochs",
    "fine_learning_rate": "Second phase: learning rate", "train_batch_norm": "Batch norm not frozen", "cache": "Keep the features",
    "scratch": "From scratch, too",
}  # fmt: skip
# Every question is sent at once, since the next one ends the one before; the pool is that of the Classify tab.
LATEST: dict[str, Any] = {**SILENT, "concurrency_id": "answers", "concurrency_limit": 4, "trigger_mode": "multiple"}
IN_SIGHT = ("base", "data")
"""The settings that are not folded away."""


@dataclass(frozen=True)
class _Setup:
    """The column in which pictures are given and a transfer is started."""

    classes: gr.HTML
    preset: gr.Dropdown
    settings: list[Any]
    start: gr.Button
    estimate: gr.Markdown
    token: gr.Textbox

    @property
    def inputs(self) -> list[Any]:
        """What an estimate depends on."""
        return [self.preset, self.token, *self.settings]


@dataclass(frozen=True)
class _Monitor:
    """The column in which the run is watched and its network is tried."""

    stop: gr.Button
    pause: gr.Button
    resume: gr.Button
    sentence: gr.Markdown
    curves: gr.HTML
    outcome: gr.HTML
    link: gr.HTML
    picture: Picture
    answer: gr.HTML
    about: gr.State
    name: gr.Textbox
    keep: gr.Button
    kept_as: gr.Markdown

    @property
    def controls(self) -> list[Any]:
        """What changes with the status of the run, in the order of `TransferCallbacks.refresh`."""
        return [self.sentence, self.stop, self.pause, self.resume, self.keep, self.outcome, self.link]


def build(shell: Shell) -> None:
    """Put the tab's components into the open Blocks and wire them to the service."""
    answers = AnswerCallbacks(shell.engine.answer, shell.engine.cancel_downloads)
    callbacks = TransferCallbacks(shell.service, shell.pictures, answers)
    with gr.Row(elem_classes="settings-first", elem_id="transfer"):
        with gr.Column(scale=4, min_width=300):
            setup = _setup()
        with gr.Column(scale=5, min_width=320):
            monitor = _monitor()
    _wire_setup(callbacks, setup, monitor, shell)
    _wire_monitor(callbacks, setup, monitor, shell)
    shell.models_changed.refresh(lambda: gr.Dropdown(networks.choices()), [setup.settings[0]])
    add_endpoint(callbacks.transfer, {"settings": {"base": "resnet20-cifar10", "train_limit": 200, "test_limit": 100}})


def _setup() -> _Setup:
    classes = widget("classes", {}, label="Classes and their pictures", elem_id="classes")
    start = gr.Button("Train", variant="primary", elem_id="transfer-start", interactive=False)  # until the page is loaded
    estimate = gr.Markdown(elem_classes="estimate", elem_id="transfer-estimate")
    with gr.Column(elem_id="transfer-base") as in_sight:
        preset = gr.Dropdown(list(TRANSFER_PRESETS), value=FIRST, label="Preset", elem_id="transfer-preset", min_width=200)
    with gr.Accordion("Settings", open=False, elem_id="transfer-settings"), gr.Row(elem_classes="every-setting"):
        folders = [folder for folder in allowed_data() if folder not in DATA.values()]
        data = [*DATA.items(), *((folder, folder) for folder in folders)]
        choices = {"base": networks.choices(), "data": data}
        settings = build_form(TransferSettings, labels=LABELS, choices=choices, prefix="transfer")
    names = list(TransferSettings.model_fields)
    for name, value in zip(names, preset_values(FIRST), strict=True):
        settings[names.index(name)].value = value
    for name in IN_SIGHT:
        component = settings[names.index(name)]
        component.unrender()
        component.info = None  # the label says it
        with in_sight:
            component.render()
    with gr.Accordion("For the teacher", open=False):
        token = gr.Textbox(label="Teacher's token", type="password", info=TOKEN, elem_id="transfer-token")
    return _Setup(classes, preset, settings, start, estimate, token)


def _monitor() -> _Monitor:
    with gr.Row(elem_classes="tight"):
        stop, pause, resume = (
            gr.Button(name, interactive=False, elem_id=f"transfer-{name.lower()}", min_width=90, size="sm", scale=0)
            for name in ("Stop", "Pause", "Continue")
        )
    sentence = gr.Markdown(elem_classes="said", elem_id="transfer-said")
    curves = widget("curves", show_transfer(""), label="Training curves", elem_id="transfer-curves")
    gr.Markdown("## Try it", elem_id="try-it")
    with gr.Row(elem_id="try"):
        with gr.Column(scale=2, min_width=200):
            picture = Picture(
                label="A new picture", sources=["upload", "clipboard", "webcam"], height=204, buttons=[], elem_id="try-picture",
                value=str(EXAMPLE_PICTURES[0].path), placeholder="Drop a picture, paste it, or click to choose one",
            )  # fmt: skip
        with gr.Column(scale=5, min_width=300):
            answer = widget("answer", UNTRAINED, label="Answer", elem_id="try-answer")
    outcome = widget("outcome", None, label="Result of the transfer", elem_id="outcome")
    link = gr.HTML(elem_id="transfer-link", padding=False)
    with gr.Row(elem_id="keep-transfer"):
        name = gr.Textbox(
            label="Keep the network for Classify, under a name",
            placeholder="cats-and-ships",
            max_length=40,
            elem_id="transfer-name",
        )
        keep = gr.Button("Keep it", elem_id="transfer-keep", interactive=False, scale=0, min_width=110)
    kept_as = gr.Markdown(elem_id="transfer-kept")
    return _Monitor(
        stop, pause, resume, sentence, curves, outcome, link, picture, answer, gr.State(NOTHING), name, keep, kept_as
    )


def _wire_setup(callbacks: TransferCallbacks, setup: _Setup, monitor: _Monitor, shell: Shell) -> None:
    setup.preset.input(preset_values, setup.preset, setup.settings, **UNQUEUED)
    changes = [component.change for component in (setup.classes, setup.preset, setup.token, *setup.settings)]
    gr.on(changes, callbacks.describe, setup.inputs, setup.estimate, **UNQUEUED)
    started = setup.start.click(callbacks.begin, [setup.token, *setup.settings], monitor.curves, **SILENT)
    started.success(None, None, None, js=show_curves("transfer-curves", "transfer-stop"))
    opened = shell.page.load(callbacks.arrive, None, [setup.start, monitor.curves, setup.settings[0]], **SILENT)
    opened.then(callbacks.describe, setup.inputs, setup.estimate, **UNQUEUED)


def _wire_monitor(callbacks: TransferCallbacks, setup: _Setup, monitor: _Monitor, shell: Shell) -> None:
    curves, token = monitor.curves, setup.token
    question = [monitor.picture, curves, monitor.about]
    changed = curves.status(callbacks.refresh, curves, monitor.controls, **UNQUEUED)
    answered = [monitor.answer, monitor.about]
    changed.then(callbacks.ask, question, answered, **LATEST)
    changed.then(callbacks.describe, setup.inputs, setup.estimate, **UNQUEUED)  # meanwhile a step may be measured
    for button, action in (
        (monitor.stop, callbacks.stop),
        (monitor.pause, callbacks.pause),
        (monitor.resume, callbacks.resume),
    ):
        acted = button.click(action, [curves, token], None, **SILENT)
        acted.then(lambda value: show_transfer(value["run"]), curves, curves, **UNQUEUED)
    monitor.picture.change(callbacks.ask, question, answered, **LATEST)
    monitor.answer.explain(callbacks.ask_about, question, answered, **LATEST)
    keeping = monitor.keep.click(callbacks.keep, [curves, monitor.name, token], monitor.kept_as, **SILENT)
    shell.models_changed.after(keeping)


TOKEN = "Printed where the app was started. With it, long runs can be started."
