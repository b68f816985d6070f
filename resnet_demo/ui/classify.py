"""The Classify tab: what a network takes a picture for, and where it looked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
from PIL import Image

from resnet_demo.config import parse
from resnet_demo.errors import ResNetDemoError
from resnet_demo.inference.examples import examples
from resnet_demo.inference.question import Question
from resnet_demo.ui import engine
from resnet_demo.ui.picture import Picture
from resnet_demo.ui.widget import widget
from resnet_demo.zoo.catalogue import available

NO_SECOND = "none"
CONCURRENCY = {"concurrency_id": "answers", "concurrency_limit": 4}


def build(page: gr.Blocks) -> None:
    """Put the tab's components into the open Blocks and wire them."""
    models = [(entry.title, entry.name) for entry in available()]
    shelf = examples()
    with gr.Row(elem_classes="results-first"):
        with gr.Column(scale=2, min_width=280):
            picture = Picture(
                label="Your picture", sources=["upload", "clipboard", "webcam"], height=240, buttons=[],
                elem_id="picture", value=str(shelf[0].path), placeholder="Drop a picture, paste it, or click to choose one",
            )  # fmt: skip
            chosen = gr.Gallery(
                [str(example.path) for example in shelf], label="Examples", columns=4, height="auto", allow_preview=False,
                buttons=[], elem_id="examples", object_fit="cover",
            )  # fmt: skip
            model = gr.Dropdown(models, value=models[0][1], label="Network", elem_id="model")
            second = gr.Dropdown([("none", NO_SECOND), *models], value=NO_SECOND, label="Compare with", elem_id="second")
            with gr.Accordion("Explanation", open=False):
                contrast = gr.Dropdown(
                    [("no other class", -1)], value=-1, label="Why the chosen class and not …", elem_id="contrast"
                )
                signed = gr.Checkbox(False, label="Show also what speaks against the class", elem_id="signed")
            with gr.Accordion("What the numbers mean", open=False):
                gr.Markdown(MEANING)
                gr.Markdown("Examples: " + " ".join(f"{e.title} ({e.source}, {e.licence})." for e in shelf))
        with gr.Column(scale=5, min_width=320):
            result = widget("answer", {"state": "empty"}, label="Answer", elem_id="answer")
    asked = [picture, model, second, signed]
    outputs = [result, contrast]
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", **CONCURRENCY}
    chosen.select(pick, None, picture, api_visibility="private", show_progress="hidden", queue=False)
    for change in (picture.change, model.change, second.change, signed.change):
        change(ask, asked, outputs, trigger_mode="always_last", **private)
    page.load(ask, asked, outputs, **private)
    result.explain(ask_about, [*asked, contrast], outputs, **private)
    contrast.input(ask_contrast, [*asked, result, contrast], result, **private)
    _build_api()


def _build_api() -> None:
    """The endpoint /classify, which takes the picture first and answers in the form of gr.Label first."""
    with gr.Column(visible=False):
        picture, label, explained = Picture(), gr.Label(), gr.JSON()
        model = gr.Textbox(available()[0].name, label="model")
        second, stage = gr.Textbox("", label="second"), gr.Textbox("", label="stage")
        target, contrast = gr.Number(-1, label="target", precision=0), gr.Number(-1, label="contrast", precision=0)
        top_k = gr.Number(5, label="top_k", precision=0)
        gr.Button().click(
            classify, [picture, model, second, stage, target, contrast, top_k], [label, explained], api_name="classify", **CONCURRENCY
        )  # fmt: skip


def classify(
    picture: Image.Image | None,
    model: str,
    second: str = "",
    stage: str = "",
    target: float = -1,
    contrast: float = -1,
    top_k: float = 5,
) -> tuple[dict[str, float], dict[str, Any]]:
    """What a network takes a picture for, and where it looked.

    Returns the classes with their shares of the softmax, and the whole report: answers, sentences, and a
    Grad-CAM of every stage as a picture in a data: URL.
    """
    if picture is None:
        raise gr.Error("picture: there is none. Send an uploaded file or a data: URL.", print_exception=False)
    numbers = {"target": target, "contrast": contrast, "top_k": top_k}
    try:
        question = parse(
            Question, {"model": model, "second": second, "stage": stage} | {k: _whole(v) for k, v in numbers.items()}
        )
        told = engine.report(picture, question)
    except ResNetDemoError as error:
        raise gr.Error(str(error), print_exception=False) from error
    return {p["label"]: p["probability"] for p in told["answers"][0]["predictions"]}, told


def _whole(value: Any) -> Any:
    """Gradio sends whole numbers as floats; everything else is left for the parser to judge."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def pick(chosen: gr.SelectData) -> str:
    """The example that was clicked."""
    return str(examples()[chosen.index].path)


def ask(
    picture: Image.Image | None, model: str, second: str, signed: bool, target: int = -1, contrast: int = -1
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Show the picture to the chosen networks; yields what the widgets show."""
    if picture is None:
        yield {"state": "empty", "message": "Choose a picture: drop one, paste one, or take an example."}, gr.skip()
        return
    if not engine.is_ready():
        yield (
            {"state": "loading", "message": "Loading PyTorch and the network; the first answer takes a few seconds."},
            gr.skip(),
        )
    try:
        question = parse(Question, {
            "model": model, "second": "" if second == NO_SECOND else second, "signed": signed, "target": target, "contrast": contrast,
        })  # fmt: skip
        told = engine.report(picture, question)
    except ResNetDemoError as error:
        yield {"state": "error", "message": str(error)}, gr.skip()
        return
    others = [(p["label"], p["index"]) for p in told["answers"][0]["predictions"] if p["index"] != told["answers"][0]["target"]]
    yield told, gr.Dropdown([("no other class", -1), *others], value=contrast)


def ask_about(
    picture: Image.Image | None, model: str, second: str, signed: bool, contrast: int, clicked: gr.EventData
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Explain the class that was clicked."""
    target = clicked.target if isinstance(clicked.target, int) else int(clicked._data["target"])
    yield from ask(picture, model, second, signed, target, -1 if contrast == target else contrast)


def ask_contrast(
    picture: Image.Image | None, model: str, second: str, signed: bool, shown: dict[str, Any], contrast: int
) -> Iterator[dict[str, Any]]:
    """Explain why the class that is shown and not another one."""
    answers = shown.get("answers") or [{"target": -1}]
    for told, _ in ask(picture, model, second, signed, answers[0]["target"], contrast):
        yield told


MEANING = """
The numbers are the network's softmax: they add up to 100 % over the classes that it knows, and it must choose one of them
whatever it is shown. They are not the chance of being right.

The map is a Grad-CAM (Selvaraju et al. 2017): where it is strong, the maps of that stage speak for the class. Early stages have
fine maps of simple patterns; the last stage has a coarse map of whole things. Click a class to see where the network looked for it.
"""
