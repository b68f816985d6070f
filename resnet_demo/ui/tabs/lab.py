"""The Lab tab: train a plain and a residual network side by side, and watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from resnet_demo.comparison import PRESETS, LabSettings, allowed_data
from resnet_demo.ui.endpoint import add_endpoint
from resnet_demo.ui.form import Choices, build_form, or_none
from resnet_demo.ui.lab_callbacks import NAMES, LabCallbacks, preset_values
from resnet_demo.ui.room_callbacks import PIN, RoomCallbacks
from resnet_demo.ui.run_callbacks import reload, show_curves
from resnet_demo.ui.shell import SILENT, UNQUEUED, Shell
from resnet_demo.ui.widget import widget

TITLE = "Lab"
DEPTHS = [6 * n + 2 for n in range(1, 19)]
SECONDS = 3  # between two looks at how long a run will take, until that is measured
LABELS = {"warmup": "Warm-up", "other_depth": "Second depth", "seed": "First seed"}
COLUMNS = {  # 800 pixels in all: a phone scrolls
    "comparison": "185px", "network": "140px", "status": "105px", "steps": "75px", "training loss": "110px",
    "test error, %": "90px", "run": "95px",
}  # fmt: skip


@dataclass(frozen=True)
class _Setup:
    """The column in which a run is set up and started."""

    preset: gr.Radio
    start: gr.Button
    estimate: gr.Markdown
    settings: list[Any]
    link: gr.HTML
    token: gr.Textbox
    pin: gr.Button
    delete: gr.Button

    @property
    def inputs(self) -> list[Any]:
        """What an estimate depends on."""
        return [self.token, *self.settings]


@dataclass(frozen=True)
class _Clearing:
    """Below the list of runs: the button that clears it, its question, and what was done."""

    ask: gr.Button
    question: gr.Column
    plan: gr.Markdown
    yes: gr.Button
    no: gr.Button
    result: gr.Markdown


@dataclass(frozen=True)
class _Monitor:
    """The column in which a run is watched."""

    stop: gr.Button
    pause: gr.Button
    resume: gr.Button
    sentence: gr.Markdown
    blocks: gr.HTML
    curves: gr.HTML
    repeat: gr.Button
    reseed: gr.Button
    take_over: gr.Button
    arm: gr.Dropdown
    name: gr.Textbox
    keep: gr.Button
    kept_as: gr.Markdown
    overlays: gr.Dropdown
    table: gr.Dataframe
    clearing: _Clearing

    @property
    def controls(self) -> list[Any]:
        """What changes with the status of the run, in the order of `LabCallbacks.refresh`."""
        buttons = [self.stop, self.pause, self.resume, self.repeat, self.reseed, self.take_over]
        return [self.sentence, *buttons, self.arm, self.overlays, self.table]


def build(shell: Shell) -> None:
    """Put the tab's components into the open Blocks and wire them to the service."""
    callbacks, room = LabCallbacks(shell.service), RoomCallbacks(shell.service)
    with gr.Row(elem_classes="settings-first", elem_id="lab"):
        with gr.Column(scale=2, min_width=290):
            setup = _setup()
        with gr.Column(scale=5, min_width=320):
            monitor = _monitor()
    clock = gr.Timer(SECONDS, active=False)
    _wire_setup(callbacks, setup, monitor, clock)
    _wire_monitor(callbacks, setup, monitor, shell)
    _wire_room(room, callbacks, setup, monitor)
    described = [setup.estimate, setup.link, clock, setup.preset, monitor.blocks]
    changed = monitor.curves.status(callbacks.refresh, monitor.curves, monitor.controls, **UNQUEUED)
    changed.then(callbacks.describe, setup.inputs, described, **UNQUEUED)
    opened = shell.page.load(callbacks.arrive, None, [setup.start, monitor.curves, *setup.settings], **SILENT)
    opened.then(callbacks.refresh, monitor.curves, monitor.controls, **UNQUEUED)
    opened.then(callbacks.describe, setup.inputs, described, **UNQUEUED)
    examples = {"settings": {"depth": 20, "steps": 100}, "run": "20260131-235959-3f9c01"}
    endpoints = (callbacks.start_run, callbacks.run, callbacks.stop_run, callbacks.delete_run, room.pin_run, room.clear_runs)
    for function in endpoints:
        add_endpoint(function, examples)


def _setup() -> _Setup:
    preset = gr.Radio(list(PRESETS), value=next(iter(PRESETS)), label="Comparison", elem_id="preset")
    start = gr.Button("Start", variant="primary", elem_id="start", interactive=False)  # until the page is loaded
    estimate = gr.Markdown(elem_classes="estimate", elem_id="estimate")
    with gr.Accordion("Settings", open=False, elem_id="settings"):
        with gr.Row(elem_id="every-setting"):
            depths = [(str(depth), depth) for depth in DEPTHS]
            choices: dict[str, Choices] = {"depth": DEPTHS, "other_depth": or_none(depths, 0), "data": allowed_data()}
            settings = build_form(LabSettings, labels=LABELS, choices=choices)
        link = widget("link", "", label="Link that carries these settings", elem_id="link")
    with gr.Accordion("For the teacher", open=False, elem_id="teacher"):
        gr.HTML(ROOM)
        token = gr.Textbox(label="Teacher's token", type="password", info=TOKEN, elem_id="token")
        pin = gr.Button(PIN, size="sm", elem_id="pin", interactive=False)
        delete = gr.Button("Delete the run that is shown", size="sm", elem_id="delete")
    return _Setup(preset, start, estimate, settings, link, token, pin, delete)


def _monitor() -> _Monitor:
    with gr.Row(elem_classes="tight"):
        stop, pause, resume = (_small_button(name, name.lower()) for name in ("Stop", "Pause", "Continue"))
    sentence = gr.Markdown(elem_classes="said", elem_id="said")
    with gr.Accordion("What is compared: the blocks of these settings", open=False, elem_id="compared"):
        blocks = widget("architecture", {}, label="A plain and a residual block", elem_id="blocks")
    curves = widget("curves", {}, label="Training curves", elem_id="curves")
    with gr.Row(elem_classes="tight"):
        repeat = _small_button("Run again", "repeat")
        reseed = _small_button("Run again, other seed", "reseed")
        take_over = _small_button("Take over its settings", "take")
    with gr.Accordion("Keep a trained network", open=False):
        with gr.Row():
            arm = gr.Dropdown([], label="Network of this run", elem_id="arm")
            name = gr.Textbox(label="Name", placeholder="my-residual-32", max_length=40, elem_id="arm-name")
        keep = gr.Button("Keep it for Classify", elem_id="keep")
        kept_as = gr.Markdown()
    with gr.Accordion("All runs", open=False):
        overlays = gr.Dropdown([], multiselect=True, label="Draw earlier runs beside this one", elem_id="overlays")
        table = gr.Dataframe(
            headers=list(COLUMNS),
            column_widths=list(COLUMNS.values()),
            wrap=True,
            interactive=False,
            show_label=False,
            elem_id="runs",
        )
        clearing = _clearing()
    return _Monitor(
        stop, pause, resume, sentence, blocks, curves, repeat, reseed, take_over, arm, name, keep, kept_as, overlays, table,
        clearing,
    )  # fmt: skip


def _clearing() -> _Clearing:
    ask = gr.Button("Clear the list", size="sm", elem_id="clear")
    with gr.Column(visible=False, elem_id="clear-question") as question:
        plan = gr.Markdown()
        with gr.Row(elem_classes="tight"):
            yes = gr.Button("Delete them", variant="stop", size="sm", elem_id="clear-yes", min_width=90, scale=0)
            no = gr.Button("Keep them", size="sm", elem_id="clear-no", min_width=90, scale=0)
    return _Clearing(ask, question, plan, yes, no, gr.Markdown(elem_id="cleared"))


def _wire_setup(callbacks: LabCallbacks, setup: _Setup, monitor: _Monitor, clock: gr.Timer) -> None:
    setup.preset.input(preset_values, setup.preset, setup.settings, **UNQUEUED)
    described = [setup.estimate, setup.link, clock, setup.preset, monitor.blocks]
    changes = [component.change for component in setup.inputs]
    gr.on([*changes, clock.tick], callbacks.describe, setup.inputs, described, **UNQUEUED)
    length = dict(zip(NAMES, setup.settings, strict=True))
    length["steps"].input(lambda: 0, None, length["epochs"], **UNQUEUED)  # a number of steps replaces one of epochs
    submitted = [setup.token, monitor.overlays, *setup.settings]
    started = setup.start.click(callbacks.begin, submitted, monitor.curves, **SILENT)
    started.success(None, None, None, js=show_curves("curves", "stop"))


def _wire_monitor(callbacks: LabCallbacks, setup: _Setup, monitor: _Monitor, shell: Shell) -> None:
    curves, overlays, token = monitor.curves, monitor.overlays, setup.token
    monitor.repeat.click(callbacks.repeat, [curves, token, overlays], curves, **SILENT)
    monitor.reseed.click(callbacks.reseed, [curves, token, overlays], [curves, overlays], **SILENT)
    actions = ((monitor.stop, callbacks.stop), (monitor.pause, callbacks.pause), (monitor.resume, callbacks.resume))
    for button, action in actions:
        acted = button.click(action, [curves, token], None, **SILENT)
        drawn = acted.then(reload, [curves, overlays], curves, **UNQUEUED)
        drawn.then(callbacks.refresh, curves, monitor.controls, **UNQUEUED)
    deleted = setup.delete.click(callbacks.delete, [curves, token, overlays], [curves, overlays], **SILENT)
    deleted.success(callbacks.refresh, curves, monitor.controls, **UNQUEUED)
    monitor.take_over.click(callbacks.take_over, curves, setup.settings, **SILENT)
    keep = monitor.keep.click(callbacks.keep, [curves, monitor.arm, monitor.name, token], monitor.kept_as, **SILENT)
    shell.models_changed.after(keep)
    overlays.input(reload, [curves, overlays], curves, **UNQUEUED)


def _wire_room(room: RoomCallbacks, callbacks: LabCallbacks, setup: _Setup, monitor: _Monitor) -> None:
    """What the teacher does for everyone, and clearing the list, which visitors may do for their own runs, too."""
    curves, overlays, token, clearing = monitor.curves, monitor.overlays, setup.token, monitor.clearing
    curves.status(room.pin_button, curves, setup.pin, **UNQUEUED)
    pinned = setup.pin.click(room.pin, [curves, token], None, **SILENT)
    pinned.success(room.pin_button, curves, setup.pin, **UNQUEUED)
    pinned.success(callbacks.refresh, curves, monitor.controls, **UNQUEUED)
    question = [clearing.plan, clearing.question, clearing.result]
    clearing.ask.click(room.plan, token, question, **SILENT)
    clearing.no.click(lambda: gr.Column(visible=False), None, clearing.question, **UNQUEUED)
    cleared = clearing.yes.click(room.clear, [curves, token, overlays], [curves, overlays, *question[1:]], **SILENT)
    cleared.success(callbacks.refresh, curves, monitor.controls, **UNQUEUED)


def _small_button(name: str, identity: str) -> gr.Button:
    return gr.Button(name, interactive=False, elem_id=identity, min_width=90, size="sm", scale=0)


ROOM = (
    "<p><a style='color: inherit' href='join' target='_blank' rel='noopener'>Address and QR code for phones</a> · "
    "<a style='color: inherit' href='?tab=lab&amp;view=projector' target='_blank' rel='noopener'>Projector view</a>: the run that is "
    "shown to everyone, else each run as it starts</p>"
)
TOKEN = "Printed where the app was started. With it, any run can be stopped, deleted and shown to everyone, and long ones can be started."
