"""The Classify tab: what a network takes a picture for, and where it looked."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Annotated, Any

import gradio as gr
from PIL import Image

from resnet_demo.inference import networks
from resnet_demo.inference.examples import EXAMPLE_PICTURES
from resnet_demo.inference.request import METHODS, ClassifyRequest
from resnet_demo.ui.answer_callbacks import NO_CONTRAST, NO_SECOND, NOTHING, model_lists
from resnet_demo.ui.classify_callbacks import ClassifyCallbacks, pick
from resnet_demo.ui.endpoint import described, value
from resnet_demo.ui.engine import LOADING
from resnet_demo.ui.form import or_none
from resnet_demo.ui.picture import Picture
from resnet_demo.ui.shell import SILENT, Shell
from resnet_demo.ui.widget import widget
from resnet_demo.zoo.catalogue import available

TITLE = "Classify"
TOGETHER: dict[str, Any] = {"concurrency_id": "answers", "concurrency_limit": 4}
# Every question is sent at once, since the next one ends the one before (`ClassifyCallbacks.ask`).
LATEST: dict[str, Any] = {**SILENT, **TOGETHER, "trigger_mode": "multiple"}


@dataclass(frozen=True)
class _Components:
    """The components of the tab that events read or change."""

    picture: Picture
    gallery: gr.Gallery
    model: gr.Dropdown
    second: gr.Dropdown
    answer: gr.HTML
    contrast: gr.Dropdown
    method: gr.Dropdown
    signed: gr.Checkbox
    about: gr.State

    @property
    def request(self) -> list[Any]:
        """The request as the page shows it, in the order of the parameters of `ClassifyCallbacks.ask`."""
        return [self.picture, self.model, self.second, self.method, self.signed, self.about]

    @property
    def outputs(self) -> list[Any]:
        """What an answer changes, in the order of `answer_callbacks.Update`."""
        return [self.answer, self.contrast, self.about, self.model, self.second]


def build(shell: Shell) -> None:
    """Put the tab's components into the open Blocks and wire them."""
    callbacks = ClassifyCallbacks(shell.engine.answer, shell.engine.cancel_downloads)
    with gr.Row(elem_classes="results-first", elem_id="classify"):
        with gr.Column(scale=2, min_width=280):
            picture, gallery, model, second = _inputs()
        with gr.Column(scale=5, min_width=320):
            answer, contrast, method, signed = _results()
    components = _Components(picture, gallery, model, second, answer, contrast, method, signed, gr.State(NOTHING))
    _wire(callbacks, components, shell.page)
    shell.models_changed.refresh(model_lists, [model, second], [model, second])
    _build_api(callbacks)


def _inputs() -> tuple[Picture, gr.Gallery, gr.Dropdown, gr.Dropdown]:
    models, pictures = networks.choices(), EXAMPLE_PICTURES
    picture = Picture(
        label="Your picture", sources=["upload", "clipboard", "webcam"], height=204, buttons=[],
        elem_id="picture", value=str(pictures[0].path), placeholder="Drop a picture, paste it, or click to choose one",
    )  # fmt: skip
    gr.HTML(NO_CAMERA, elem_id="no-camera")
    gallery = gr.Gallery(
        [(str(example.path), example.title) for example in pictures], label="Examples", columns=4, height="auto",
        allow_preview=False, buttons=[], elem_id="examples", object_fit="cover",
    )  # fmt: skip
    model = gr.Dropdown(models, value=models[0][1], label="Network", elem_id="model")
    second = gr.Dropdown(or_none(models, NO_SECOND), value=NO_SECOND, label="Compare with", elem_id="second")
    with gr.Accordion("What numbers and maps mean", open=False, elem_id="meaning"):
        gr.Markdown(MEANING)
        gr.Markdown("Examples: " + " ".join(f"{e.title} ({e.source}, {e.licence})." for e in pictures))
    return picture, gallery, model, second


def _results() -> tuple[gr.HTML, gr.Dropdown, gr.Dropdown, gr.Checkbox]:
    answer = widget("answer", {"state": "loading", "message": LOADING}, label="Answer", elem_id="answer")
    with gr.Row(elem_id="questions"):
        contrast = gr.Dropdown([NO_CONTRAST], value=-1, label="Contrast with", elem_id="contrast", min_width=140)
        method = gr.Dropdown(list(METHODS.items()), value="grad-cam", label="Method", elem_id="method", min_width=140)
        signed = gr.Checkbox(False, label="Show what speaks against it", elem_id="signed", min_width=140)
    return answer, contrast, method, signed


def _wire(callbacks: ClassifyCallbacks, components: _Components, page: gr.Blocks) -> None:
    picture, answer, model, second = components.picture, components.answer, components.model, components.second
    request, outputs = components.request, components.outputs
    with_contrast = [*request, components.contrast]
    components.gallery.select(pick, None, picture, queue=False, trigger_mode="multiple", **SILENT)
    new_picture = picture.change(callbacks.ask_about_picture, request, outputs, **LATEST)
    # `input`: what a person changes, not what the link or an answer sets
    by_hand = [component.input for component in (model, second, components.method, components.signed)]
    new_request = gr.on(by_hand, callbacks.ask, request, outputs, **LATEST)
    contrasted = components.contrast.input(callbacks.ask_contrast, with_contrast, outputs, **LATEST)
    clicked = answer.explain(callbacks.ask_about, request, outputs, **LATEST)
    # in the queue, as a warning is lost outside it
    opened = page.load(callbacks.arrive, picture, with_contrast, js=PICTURE_OF_ADDRESS, **SILENT)
    first = opened.then(callbacks.ask, request, outputs, **LATEST)
    # "multiple", as a second step back would be lost while the first one is on its way
    back = answer.restore(
        callbacks.restore, picture, with_contrast, js=PICTURE_OF_ADDRESS, trigger_mode="multiple", **SILENT
    )  # fmt: skip
    again = back.then(callbacks.ask, request, outputs, **LATEST)
    answer.abandon(
        callbacks.cancel, [model, second, components.about], outputs,
        cancels=[new_picture, new_request, contrasted, clicked, first, again], queue=False, **SILENT,
    )  # fmt: skip


def _build_api(callbacks: ClassifyCallbacks) -> None:
    """The endpoint /classify, which takes the picture first and answers in the form of gr.Label first."""
    fields = {
        name: ClassifyRequest.model_fields[name]
        for name in ("model", "second", "stage", "target", "contrast", "method", "top_k")
    }
    defaults = {name: field.default for name, field in fields.items()} | {"model": available()[0].name}
    with gr.Column(visible=False):
        picture = described(Picture(label="picture"), PICTURE, _picture_to_copy())
        others = [value(name, Annotated[field.annotation, field.description], defaults[name]) for name, field in fields.items()]
        label = described(gr.Label(label=PREDICTION), PREDICTION)
        report = value(REPORT, Annotated[dict[str, Any], REPORT])
        gr.Button().click(callbacks.classify, [picture, *others], [label, report], api_name="classify", **TOGETHER)


def _picture_to_copy() -> dict[str, str]:
    """The first example as a data: URL of some hundred letters, so that the code to copy needs no file and no internet."""
    file = io.BytesIO()
    Image.open(EXAMPLE_PICTURES[0].path).save(file, "WEBP", quality=50)
    return {"url": f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"}


PICTURE = "A picture: handle_file('its path'), or its bytes as {'url': 'data:image/png;base64,…'}."
PREDICTION = "The likeliest class, and the likeliest ones with their shares of the softmax."
REPORT = "The whole answer: sentences, the picture as the network saw it, and a Grad-CAM of every stage as data: URLs."

# The picture that a question in the browser's history is about: the visitor's own, if its upload is still there.
PICTURE_OF_ADDRESS = """async (picture) => {
  if (new URLSearchParams(location.search).get('picture') !== 'own') return picture;
  const path = history.state && history.state.upload, root = window.gradio_config.root.replace(/\\/$/, '');
  const there = path && await fetch(`${root}/gradio_api/file=${path}`, {method: 'HEAD'}).catch(() => null);
  return there && there.ok ? {path, meta: {_type: 'gradio.FileData'}} : null;
}"""
NO_CAMERA = (
    "<p>The camera works only over https or on the machine that runs the app. On a phone, choose a file: "
    "that can take a photograph. Ctrl+V pastes a picture anywhere on this page.</p>"
)
MEANING = """
The numbers are the network's softmax: they add up to 100 % over the classes that it knows, and it must choose one of them
whatever it is shown. They are not the chance of being right, and a picture of something that the network has never learned
can get a high number, too. Where an answer is spread over several classes, the page says that it is unsure. That does not
always help: this project's ResNet-20 for CIFAR-10 was shown photographs of other things, and of ten, three still got a sure
answer; of ten pictures of noise, seven.

The map over the picture is a Grad-CAM (Selvaraju et al. 2017): it is strong where what a stage found there raises the
number of the explained class. Early stages have fine maps of simple patterns; the last stage has a coarse map of whole
things. Click a class to see where the network looked for it.

Contrast the explained class with another one to see what speaks for the one rather than the other: why a cat and not a dog.

Grad-CAM is there at once. The other methods take many passes through the network, on a large one up to a minute, and can be
cancelled. Guided Grad-CAM and Integrated gradients look at single pixels; Occlusion hides one square of the picture after the
other and shows how much the number falls.
"""
