"""The Lab tab: train a plain and a residual network side by side, and watch."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

import gradio as gr

from resnet_demo.comparison import PRESETS, LabSettings, allowed_data
from resnet_demo.runs.service import RunService
from resnet_demo.ui.classify_callbacks import choices
from resnet_demo.ui.endpoint import add_endpoint
from resnet_demo.ui.lab_callbacks import NAMES, LabCallbacks, again_shown, fill
from resnet_demo.ui.widget import widget

DEPTHS = [6 * n + 2 for n in range(1, 19)]
SECONDS = 3  # between two looks at how long a run will take, until that is measured
LABELS = {"warmup": "Warm-up", "other_depth": "Second depth", "seed": "First seed"}
COLUMNS = {  # 800 pixels in all: a phone scrolls
    "comparison": "185px", "network": "140px", "status": "105px", "steps": "75px", "training loss": "110px",
    "test error, %": "90px", "run": "95px",
}  # fmt: skip
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# For what never refuses or warns: past the queue, a refusal is an HTTP error without a sentence, and a warning is lost.
FAST: dict[str, Any] = {**QUIET, "queue": False}


def build(page: gr.Blocks, service: RunService, tabs: gr.Tabs, choosers: list[gr.Dropdown]) -> None:
    """Put the tab's components into the open Blocks and wire them to the service; `choosers` list the models."""
    desk = LabCallbacks(service)
    with gr.Row(elem_classes="settings-first"):
        with gr.Column(scale=2, min_width=290):
            preset = gr.Radio(list(PRESETS), value=next(iter(PRESETS)), label="Comparison", elem_id="preset")
            start = gr.Button("Start", variant="primary", elem_id="start", interactive=False)  # until the page is loaded
            about = gr.Markdown(elem_classes="estimate", elem_id="estimate")
            with gr.Accordion("Settings", open=False, elem_id="settings"):
                with gr.Row(elem_id="every-setting"):
                    settings = [_component(name) for name in NAMES]
                link = widget("link", "", label="Link that carries these settings", elem_id="link")
            with gr.Accordion("For the teacher", open=False, elem_id="teacher"):
                token = gr.Textbox(label="Teacher's token", type="password", info=TOKEN, elem_id="token")
                delete = gr.Button("Delete the run that is shown", size="sm", elem_id="delete")
        with gr.Column(scale=5, min_width=320):
            with gr.Row(elem_classes="tight"):
                stop, pause, resume = (_small(name, name.lower()) for name in ("Stop", "Pause", "Continue"))
            said = gr.Markdown(elem_classes="said", elem_id="said")
            curves = widget("curves", {}, label="Training curves", elem_id="curves")
            with gr.Row(elem_classes="tight"):
                repeat = _small("Run again", "repeat")
                reseed = _small("Run again, other seed", "reseed")
                take = _small("Take over its settings", "take")
            with gr.Accordion("Keep a trained network", open=False):
                with gr.Row():
                    arm = gr.Dropdown([], label="Network of this run", elem_id="arm")
                    name = gr.Textbox(label="Name", placeholder="my-residual-32", max_length=40, elem_id="arm-name")
                keep = gr.Button("Keep it for Classify", elem_id="keep")
                kept = gr.Markdown()
            with gr.Accordion("All runs", open=False):
                overlays = gr.Dropdown([], multiselect=True, label="Draw earlier runs beside this one", elem_id="overlays")
                listed = gr.Dataframe(
                    headers=list(COLUMNS),
                    column_widths=list(COLUMNS.values()),
                    wrap=True,
                    interactive=False,
                    show_label=False,
                    elem_id="runs",
                )
    around = [said, stop, pause, resume, repeat, reseed, take, arm, overlays, listed]
    clock = gr.Timer(SECONDS, active=False)
    described = [about, link, clock, preset]
    preset.input(fill, preset, settings, **FAST)
    questions = [token, *settings]
    changes = [component.change for component in questions]
    gr.on([*changes, clock.tick], desk.describe, questions, described, trigger_mode="always_last", **FAST)
    length = dict(zip(NAMES, settings, strict=True))  # who types steps wants steps
    length["steps"].input(lambda: 0, None, length["epochs"], **FAST)
    started = start.click(desk.begin, [token, overlays, *settings], curves, **QUIET)
    started.success(None, None, None, js=SHOW_CURVES)
    repeat.click(desk.repeat, [curves, token, overlays], curves, **QUIET)
    reseed.click(desk.reseed, [curves, token, overlays], [curves, overlays], **QUIET)
    for button, action in ((stop, desk.stop), (pause, desk.pause), (resume, desk.resume)):
        done = button.click(action, [curves, token], None, **QUIET)
        done.then(again_shown, [curves, overlays], curves, **FAST).then(desk.refresh, curves, around, **FAST)
    delete.click(desk.delete, [curves, token, overlays], [curves, overlays], **QUIET).success(
        desk.refresh, curves, around, **FAST
    )
    take.click(desk.take_over, curves, settings, **QUIET)
    keep.click(desk.keep, [curves, arm, name], kept, **QUIET).then(choices, None, choosers, **FAST)
    changed = curves.status(desk.refresh, curves, around, trigger_mode="always_last", **FAST)  # none may be lost
    changed.then(desk.describe, questions, described, **FAST)
    overlays.input(again_shown, [curves, overlays], curves, **FAST)
    opened = page.load(desk.arrive, None, [start, curves, tabs, *settings], **QUIET)
    opened.then(desk.refresh, curves, around, **FAST)
    opened.then(desk.describe, questions, described, **FAST)
    examples = {"settings": {"depth": 20, "steps": 100}, "run": "20260131-235959-3f9c01"}
    for function in (desk.start_run, desk.run, desk.stop_run, desk.delete_run):
        add_endpoint(function, examples)


def _small(name: str, identity: str) -> gr.Button:
    return gr.Button(name, interactive=False, elem_id=identity, min_width=90, size="sm", scale=0)


def _component(name: str) -> gr.components.Component:
    """The component for one setting: its help comes from the settings class."""
    field = LabSettings.model_fields[name]
    common: dict[str, Any] = {
        "label": LABELS.get(name, name.replace("_", " ").capitalize()), "info": field.description, "value": field.default,
        "elem_id": f"set-{name}",
        "min_width": 120,
    }  # fmt: skip
    if name == "depth":
        return gr.Dropdown(DEPTHS, **common)
    if name == "other_depth":
        return gr.Dropdown([("none", 0), *((str(depth), depth) for depth in DEPTHS)], **common)
    if name == "data":
        return gr.Dropdown(list(allowed_data()), **common)
    if get_origin(field.annotation) is Literal:
        return gr.Dropdown(list(get_args(field.annotation)), **common)
    if field.annotation is bool:
        return gr.Checkbox(**common)
    return gr.Number(**common)  # no range here: the parser refuses with the name of the setting, Gradio without


SHOW_CURVES = """() => {  // on a phone they are below the button, out of sight
  const at = document.querySelector('#curves .loss').getBoundingClientRect();
  if (at.top < 0 || at.bottom > innerHeight) document.querySelector('#stop').scrollIntoView();
}"""
TOKEN = "Printed where the app was started. With it, any run can be stopped, and long ones can be started."
