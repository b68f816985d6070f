"""What the Classify tab's events do: parse what the page sent, ask the networks, say it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import gradio as gr
from PIL import Image

from resnet_demo.errors import PictureError, ResNetDemoError, SettingError
from resnet_demo.inference import networks
from resnet_demo.inference.examples import FINGERPRINT, Example, examples
from resnet_demo.inference.request import ClassifyRequest
from resnet_demo.parsing import parse, parse_link, whole
from resnet_demo.ui import engine
from resnet_demo.ui.notices import warn
from resnet_demo.ui.picture import UPLOAD
from resnet_demo.ui.refusal import refusal
from resnet_demo.zoo.catalogue import is_hub_id

NO_SECOND = "none"
NO_CONTRAST = ("none", -1)
NOTHING: dict[str, Any] = {"of": None, "target": -1, "target_of": 0, "answered": None}
"""What is explained: the first answer's class, of whatever is shown; `answered` is the question that the page shows."""

OWN = "own"
"""What the address calls a picture of the visitor's own."""

UNCHANGED = (gr.skip(),) * 5
Sent = Image.Image | PictureError | None
Shown = tuple[Any, Any, Any, Any, Any]
"""What the widget shows, the classes to contrast with, what is explained, and the two lists of networks."""


def or_none(models: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The models to compare with, or none."""
    return [("none", NO_SECOND), *models]


def choices() -> tuple[Any, Any]:
    """The two choosers with the models that there are now."""
    models = networks.choices()
    return gr.Dropdown(models), gr.Dropdown(or_none(models))


@dataclass
class ClassifyCallbacks:
    """The callbacks of the tab; they know which question each open page waits for.

    Args:
        answer: yields sentences, then the report (`engine.ask`).
    """

    answer: Callable[[Image.Image, ClassifyRequest], Iterator[str | dict[str, Any]]]
    _in_progress: dict[str, tuple[str, list[Any]]] = field(default_factory=dict)  # by page: ticket and question

    def arrive(self, picture: Sent, request: gr.Request) -> tuple[Any, ...]:
        """A page was opened, perhaps with a link that says what is asked, or again with the visitor's own picture."""
        return _restored(picture, request.query_params)

    def restore(self, picture: Sent, step: gr.EventData) -> tuple[Any, ...]:
        """The browser went back or forward to a question, which the address carries."""
        return _restored(picture, dict(parse_qsl(str(step._data.get("query", "")).removeprefix("?"))))

    def ask(
        self, picture: Sent, model: str, second: str, method: str, signed: bool, contrast: int,
        about: dict[str, Any], request: gr.Request,
    ) -> Iterator[Shown]:  # fmt: skip
        """Show the picture to the networks.

        The class that was clicked, and the one to contrast it with, are those of the networks and the picture that
        `about` is `of`; others are asked for their first answer. A page's next question ends the one before; the
        same question once more, as browsers send it when a list loses the focus, changes nothing.
        """
        second = "" if second == NO_SECOND else second
        asked = {"model": model, "second": second, "method": method, "signed": signed, "contrast": contrast}
        ticket = uuid4().hex  # by which the widget knows late words of what was cancelled
        page = request.session_hash or ticket
        key: list[Any] = [ticket]
        if isinstance(picture, Image.Image):
            of = [model, second, picture.info.get(FINGERPRINT)]
            if about["of"] != of:
                about, asked = NOTHING | {"of": of, "answered": about["answered"]}, asked | {"contrast": -1}
            key = _key(asked, about)
        waits_for = self._in_progress.get(page)
        if key == (waits_for[1] if waits_for else about["answered"]):
            yield UNCHANGED
            return
        self._in_progress[page] = ticket, key
        try:
            for answer, *around in self._answers(picture, asked, about):
                if self._in_progress.get(page, ("",))[0] != ticket:
                    yield UNCHANGED  # without any, the page would be emptied
                    return
                yield {"ticket": ticket} | answer, *around
        finally:
            if self._in_progress.get(page, ("",))[0] == ticket:
                del self._in_progress[page]

    def ask_about(
        self, picture: Sent, model: str, second: str, method: str, signed: bool, contrast: int, about: dict[str, Any],
        clicked: gr.EventData, request: gr.Request,
    ) -> Iterator[Shown]:  # fmt: skip
        """Explain the class that was clicked, of the network in whose list it stands."""
        told = clicked._data  # EventData has a `target` of its own
        now = about | {"target": told["target"], "target_of": told["answer"]}
        same_list = now["target_of"] == about["target_of"] and contrast != now["target"]
        yield from self.ask(picture, model, second, method, signed, contrast if same_list else -1, now, request)

    def classify(
        self, picture: Sent, model: str, second: str = "", stage: str = "", target: float = -1, contrast: float = -1,
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
            question = parse(ClassifyRequest, words | {name: whole(value) for name, value in numbers.items()})
            told = [answer for answer in self.answer(picture, question) if isinstance(answer, dict)][-1]
        except ResNetDemoError as error:
            raise refusal(str(error)) from error
        return {p["label"]: p["probability"] for p in told["answers"][0]["predictions"]}, told

    def _answers(self, picture: Sent, asked: dict[str, Any], about: dict[str, Any]) -> Iterator[Shown]:
        no_contrast = gr.Dropdown([NO_CONTRAST], value=-1)
        if not isinstance(picture, Image.Image):
            yield _without_answer(picture), no_contrast, NOTHING, gr.skip(), gr.skip()
            return
        target = {"target": about["target"], "target_of": about["target_of"]}
        try:
            for answer in self.answer(picture, parse(ClassifyRequest, asked | target)):
                if isinstance(answer, str):
                    yield {"state": "loading", "message": answer}, *UNCHANGED[1:]
                else:
                    yield _finished(answer, picture, asked, about)
        except SettingError as error:  # a class that the network does not have: it is not asked for again
            yield {"state": "error", "message": str(error)}, no_contrast, NOTHING, *selected(about)
        except ResNetDemoError as error:
            yield {"state": "error", "message": str(error)}, gr.skip(), gr.skip(), *selected(about)


def stopped(model: str, second: str, about: dict[str, Any]) -> tuple[Any, ...]:
    """End what takes long, a download too; the widget keeps what it showed."""
    engine.cancel_downloads([model, second])
    return {"state": "stopped", "message": "Cancelled."}, *selected(about), about | {"answered": None}


def pick(chosen: gr.SelectData) -> str:
    """The example that was clicked."""
    return str(examples()[chosen.index].path)


def selected(about: dict[str, Any]) -> tuple[Any, Any]:
    """The two choosers with the networks whose answer is shown: what could not be had is not left standing there."""
    if not about["answered"]:
        return gr.skip(), gr.skip()
    model, second = about["answered"][1:3]
    return gr.Dropdown(value=model), gr.Dropdown(value=second or NO_SECOND)


def _key(asked: Mapping[str, Any], about: Mapping[str, Any]) -> list[Any]:
    """All that a question is made of, the picture's fingerprint first, then the networks."""
    model, second, picture = about["of"]
    rest = (asked["method"], asked["signed"], asked["contrast"], about["target"], about["target_of"])
    return [picture, model, second, *rest]


def _finished(answer: dict[str, Any], picture: Image.Image, asked: dict[str, Any], about: dict[str, Any]) -> Shown:
    """The answer, and what changes around it."""
    explained = answer["answers"][about["target_of"]]
    contrast = asked["contrast"] if explained["contrast_label"] else -1
    example = next((example.name for example in examples() if example.fingerprint == picture.info.get(FINGERPRINT)), "")
    upload = "" if example else picture.info.get(UPLOAD, "")
    named = {"picture": example or (OWN if upload else ""), "contrast": contrast}
    answer = answer | {"asked": answer["asked"] | named, "upload": upload}
    about = about | {"answered": _key(asked | {"contrast": contrast}, about)}
    fetched = is_hub_id(asked["model"]) or is_hub_id(asked["second"])  # perhaps just now: the lists say so no more
    lists = choices() if fetched else (gr.skip(), gr.skip())
    return answer, gr.Dropdown(_contrasts(explained, contrast), value=contrast), about, *lists


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


def _restored(picture: Sent, query: Mapping[str, str]) -> tuple[Any, ...]:
    """The components as an address describes them, in the order in which `ask` takes them."""
    models = networks.choices()
    question = _question_of(query, [name for _, name in models])
    shown, fingerprint = _picture_of(picture, query.get("picture", ""))
    about = NOTHING | {
        "of": [question.model, question.second, fingerprint], "target": question.target, "target_of": question.target_of
    }  # fmt: skip
    contrasts = [NO_CONTRAST, *([(f"class {question.contrast}", question.contrast)] if question.contrast >= 0 else [])]
    return (
        shown,
        gr.Dropdown(models, value=question.model),
        gr.Dropdown(or_none(models), value=question.second or NO_SECOND),
        question.method,
        question.signed,
        gr.Dropdown(contrasts, value=question.contrast),
        about,
    )


def _question_of(query: Mapping[str, str], names: list[str]) -> ClassifyRequest:
    """What an address asks; the default where it asks what cannot be."""
    question = ClassifyRequest(model=names[0])
    try:
        mine = {name: value for name, value in query.items() if name not in ("stage", "top_k")}  # the widget's, and the API's
        asked = parse_link(ClassifyRequest, {"model": names[0]} | mine)
        if unknown := sorted({asked.model, asked.second} - {"", *names}):
            raise SettingError(f"There is no network {unknown[0][:80]!r} here.")
        return asked
    except SettingError as error:
        warn(f"{error} What the link asks is left out.")
        return question


def _picture_of(picture: Sent, name: str) -> tuple[Any, str]:
    """What the picture component shows for that name, and its fingerprint. `picture` is what the browser has."""
    shelf = examples()
    if name == OWN:
        if isinstance(picture, Image.Image):
            return picture.info[UPLOAD], picture.info[FINGERPRINT]
        warn(f"The link's picture is a visitor's own: it stays in the tab where it was given, for a day. {_instead(shelf[0])}")
    elif name and name not in {example.name for example in shelf}:
        warn(f"There is no example picture {name[:80]!r}. {_instead(shelf[0])}")
    example = next((example for example in shelf if example.name == name), shelf[0])
    in_browser = picture.info[FINGERPRINT] if isinstance(picture, Image.Image) else ""
    return gr.skip() if in_browser == example.fingerprint else str(example.path), example.fingerprint


def _instead(example: Example) -> str:
    return f"The example {example.title!r} is shown instead."
