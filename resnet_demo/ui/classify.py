"""The Classify tab: what a network takes a picture for, and where it looked."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import gradio as gr
from PIL import Image

from resnet_demo.config import parse, parse_link, whole
from resnet_demo.errors import PictureError, ResNetDemoError, SettingError
from resnet_demo.inference.examples import examples
from resnet_demo.inference.question import METHODS, Question
from resnet_demo.ui import engine
from resnet_demo.ui.picture import FINGERPRINT, Picture
from resnet_demo.ui.refusal import refusal
from resnet_demo.ui.widget import widget
from resnet_demo.zoo.catalogue import available

NO_SECOND = "none"
NO_CONTRAST = ("none", -1)
NOTHING = {"of": None, "target": -1, "target_of": 0}  # the first answer's class, of whatever is shown
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
TOGETHER: dict[str, Any] = {"concurrency_id": "answers", "concurrency_limit": 4}
# Every question is sent at once, since here the next one ends the one before (`ask`).
LATEST: dict[str, Any] = {**PRIVATE, **TOGETHER, "trigger_mode": "multiple"}


def build(page: gr.Blocks) -> list[gr.Dropdown]:
    """Put the tab's components into the open Blocks and wire them; gives the two choosers of models."""
    models = listed()
    shelf = examples()
    with gr.Row(elem_classes="results-first", elem_id="classify"):
        with gr.Column(scale=2, min_width=280):
            picture = Picture(
                label="Your picture", sources=["upload", "clipboard", "webcam"], height=204, buttons=[],
                elem_id="picture", value=str(shelf[0].path), placeholder="Drop a picture, paste it, or click to choose one",
            )  # fmt: skip
            gr.HTML(NO_CAMERA, elem_id="no-camera")
            chosen = gr.Gallery(
                [(str(example.path), example.title) for example in shelf], label="Examples", columns=4, height="auto",
                allow_preview=False, buttons=[], elem_id="examples", object_fit="cover",
            )  # fmt: skip
            model = gr.Dropdown(models, value=models[0][1], label="Network", elem_id="model")
            second = gr.Dropdown(or_none(models), value=NO_SECOND, label="Compare with", elem_id="second")
            with gr.Accordion("What numbers and maps mean", open=False, elem_id="meaning"):
                gr.Markdown(MEANING)
                gr.Markdown("Examples: " + " ".join(f"{e.title} ({e.source}, {e.licence})." for e in shelf))
        with gr.Column(scale=5, min_width=320):
            result = widget("answer", {"state": "loading", "message": engine.LOADING}, label="Answer", elem_id="answer")
            with gr.Row(elem_id="questions"):
                contrast = gr.Dropdown([NO_CONTRAST], value=-1, label="Contrast with", elem_id="contrast", min_width=140)
                method = gr.Dropdown(list(METHODS.items()), value="grad-cam", label="Method", elem_id="method", min_width=140)
                signed = gr.Checkbox(False, label="Show what speaks against it", elem_id="signed", min_width=140)
    about = gr.State(NOTHING)
    asked = [picture, model, second, method, signed, contrast, about]
    outputs = [result, contrast, about]
    chosen.select(pick, None, picture, queue=False, **PRIVATE)
    pictured = picture.change(ask, asked, outputs, **LATEST)
    # `input`: what a person chooses, not what the link or an answer sets
    by_hand = [component.input for component in (model, second, method, signed, contrast)]
    changed = gr.on(by_hand, ask, asked, outputs, **LATEST)
    clicked = result.explain(ask_about, asked, outputs, **LATEST)
    opened = page.load(arrive, None, asked, **PRIVATE)  # in the queue, as a warning is lost past it
    first = opened.then(ask, asked, outputs, **PRIVATE, **TOGETHER)
    result.abandon(stopped, [model, second], result, cancels=[pictured, changed, clicked, first], queue=False, **PRIVATE)
    _build_api()
    return [model, second]


def listed() -> list[tuple[str, str]]:
    """The models to choose from: what a person reads, and the name."""
    return [(entry.title, entry.name) for entry in available()]


def or_none(models: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The models to compare with, or none."""
    return [("none", NO_SECOND), *models]


def choices() -> tuple[Any, Any]:
    """The two choosers with the models that there are now."""
    models = listed()
    return gr.Dropdown(models), gr.Dropdown(or_none(models))


def _build_api() -> None:
    """The endpoint /classify, which takes the picture first and answers in the form of gr.Label first."""
    with gr.Column(visible=False):
        picture, label, explained = Picture(), gr.Label(), gr.JSON()
        model = gr.Textbox(available()[0].name, label="model")
        second, stage = gr.Textbox("", label="second"), gr.Textbox("", label="stage")
        target, contrast = gr.Number(-1, label="target", precision=0), gr.Number(-1, label="contrast", precision=0)
        top_k, method = gr.Number(5, label="top_k", precision=0), gr.Textbox("grad-cam", label="method")
        gr.Button().click(
            classify, [picture, model, second, stage, target, contrast, method, top_k], [label, explained], api_name="classify", **TOGETHER
        )  # fmt: skip


def classify(
    picture: Image.Image | PictureError | None, model: str, second: str = "", stage: str = "", target: float = -1, contrast: float = -1,
    method: str = "grad-cam", top_k: float = 5,
) -> tuple[dict[str, float], dict[str, Any]]:  # fmt: skip
    """What a network takes a picture for, and where it looked.

    Returns the classes with their shares of the softmax, and the whole report: answers, sentences, and a
    Grad-CAM of every stage as a picture in a data: URL.
    """
    if picture is None:
        raise refusal("picture: there is none. Send an uploaded file or a data: URL.")
    if isinstance(picture, PictureError):
        raise refusal(str(picture))
    words = {"model": model, "second": second, "stage": stage, "method": method}
    numbers = {"target": target, "contrast": contrast, "top_k": top_k}
    try:
        question = parse(Question, words | {name: whole(value) for name, value in numbers.items()})
        told = [answer for answer in engine.ask(picture, question) if isinstance(answer, dict)][-1]
    except ResNetDemoError as error:
        raise refusal(str(error)) from error
    return {p["label"]: p["probability"] for p in told["answers"][0]["predictions"]}, told


def pick(chosen: gr.SelectData) -> str:
    """The example that was clicked."""
    return str(examples()[chosen.index].path)


def arrive(request: gr.Request) -> Iterator[tuple[Any, ...]]:
    """A page was opened, perhaps with a link that says what is asked about which example.

    The picture comes last: as soon as it changes it is asked about, and then the networks of the link must be there.
    """
    models, query = listed(), dict(request.query_params)
    names = [name for _, name in models]
    question = Question(model=names[0])
    try:
        mine = {name: value for name, value in query.items() if name not in ("stage", "top_k")}  # the widget's, and the API's
        asked = parse_link(Question, {"model": names[0]} | mine)
        if unknown := sorted({asked.model, asked.second} - {"", *names}):
            raise SettingError(f"There is no network {unknown[0][:80]!r} here.")
        question = asked
    except SettingError as error:
        gr.Warning(html.escape(f"{error} What the link asks is left out.", quote=False), duration=None)  # until it was read
    shelf = examples()
    example = next((example for example in shelf if example.name == query.get("picture")), shelf[0])
    about = {
        "of": [question.model, question.second, example.fingerprint], "target": question.target, "target_of": question.target_of
    }  # fmt: skip
    contrasts = [NO_CONTRAST, *([(f"class {question.contrast}", question.contrast)] if question.contrast >= 0 else [])]
    around = (
        gr.Dropdown(models, value=question.model),
        gr.Dropdown(or_none(models), value=question.second or NO_SECOND),
        question.method,
        question.signed,
        gr.Dropdown(contrasts, value=question.contrast),
        about,
    )
    yield gr.skip(), *around
    if example is not shelf[0]:
        yield str(example.path), *(gr.skip() for _ in around)


_last_asked: dict[str, str] = {}  # by page, the ticket of the question that waits for its answer


def ask(
    picture: Image.Image | PictureError | None, model: str, second: str, method: str, signed: bool, contrast: int,
    about: dict[str, Any], request: gr.Request,
) -> Iterator[tuple[dict[str, Any], Any, Any]]:  # fmt: skip
    """Show the picture to the networks; yields what the widget shows, the classes to contrast with, and what is explained.

    The class that was clicked, and the one to contrast it with, are those of the networks and the picture that `about`
    is `of`; others are asked for their first answer. A page's next question ends the one before.
    """
    second = "" if second == NO_SECOND else second
    asked = {"model": model, "second": second, "method": method, "signed": signed, "contrast": contrast}
    ticket = uuid4().hex  # by which the widget knows late words of what was cancelled
    page = request.session_hash or ticket
    _last_asked[page] = ticket
    try:
        for answer, *around in _answers(picture, asked, about):
            if _last_asked.get(page) != ticket:  # a browser sends some questions twice: a choice in a list by the mouse
                yield gr.skip(), gr.skip(), gr.skip()
                return
            yield {"ticket": ticket} | answer, *around
    finally:
        if _last_asked.get(page) == ticket:
            del _last_asked[page]


def _answers(
    picture: Image.Image | PictureError | None, asked: dict[str, Any], about: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], Any, Any]]:
    if not isinstance(picture, Image.Image):
        yield _without_answer(picture), gr.Dropdown([NO_CONTRAST], value=-1), NOTHING
        return
    shown = [asked["model"], asked["second"], picture.info.get(FINGERPRINT)]
    if about["of"] != shown:
        about, asked = NOTHING | {"of": shown}, asked | {"contrast": -1}
    target = {"target": about["target"], "target_of": about["target_of"]}
    try:
        for answer in engine.ask(picture, parse(Question, asked | target)):
            if isinstance(answer, str):
                yield {"state": "loading", "message": answer}, gr.skip(), gr.skip()
            else:
                answer["asked"]["picture"] = _example_of(picture)
                explained = answer["answers"][about["target_of"]]
                answer["asked"]["contrast"] = asked["contrast"] if explained["contrast_label"] else -1
                contrasts = _contrasts(explained, answer["asked"]["contrast"])
                yield answer, gr.Dropdown(contrasts, value=answer["asked"]["contrast"]), about
    except SettingError as error:  # a class that the network does not have: it is not asked for again
        yield {"state": "error", "message": str(error)}, gr.Dropdown([NO_CONTRAST], value=-1), NOTHING
    except ResNetDemoError as error:
        yield {"state": "error", "message": str(error)}, gr.skip(), gr.skip()


def _example_of(picture: Image.Image) -> str:
    """The name of the example that the picture is; empty for a person's own."""
    known = {example.fingerprint: example.name for example in examples()}
    return known.get(picture.info.get(FINGERPRINT, ""), "")


def _without_answer(picture: PictureError | None) -> dict[str, Any]:
    """What the widget shows where there is no picture, or one that cannot be read: no answer of an earlier one."""
    if picture is None:
        return {"state": "empty", "message": "Choose a picture: drop one, paste one, or take an example.", "answers": []}
    return {"state": "error", "message": str(picture), "answers": []}


def _contrasts(answer: dict[str, Any], chosen: int) -> list[tuple[str, int]]:
    """The classes to contrast with: the other ones that are listed, and the one that is chosen."""
    others = {p["index"]: p["label"] for p in answer["predictions"] if p["index"] != answer["target"]}
    if chosen >= 0:
        others.setdefault(chosen, answer["contrast_label"])
    return [NO_CONTRAST, *((label, index) for index, label in others.items())]


def ask_about(
    picture: Image.Image | PictureError | None, model: str, second: str, method: str, signed: bool, contrast: int, about: dict[str, Any],
    clicked: gr.EventData, request: gr.Request,
) -> Iterator[tuple[dict[str, Any], Any, Any]]:  # fmt: skip
    """Explain the class that was clicked, of the network in whose list it stands."""
    told = clicked._data  # EventData has a `target` of its own
    now = about | {"target": told["target"], "target_of": told["answer"]}
    same_list = now["target_of"] == about["target_of"] and contrast != now["target"]
    yield from ask(picture, model, second, method, signed, contrast if same_list else -1, now, request)


def stopped(model: str, second: str) -> dict[str, Any]:
    """End what takes long, a download too; the widget keeps what it showed."""
    engine.cancel_downloads([model, second])
    return {"state": "stopped", "message": "Cancelled."}


NO_CAMERA = (
    "<p>The camera works only over https or on the machine that runs the app. On a phone, choose a file: "
    "that can take a photograph.</p>"
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
