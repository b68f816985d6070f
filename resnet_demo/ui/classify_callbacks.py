"""The callbacks of the Classify tab and its API: parse the request, run the networks, format the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from resnet_demo.comparison import allowed_data
from resnet_demo.errors import PictureError, ResNetDemoError, SettingError
from resnet_demo.inference import networks
from resnet_demo.inference.examples import EXAMPLE_PICTURES, FINGERPRINT, Example
from resnet_demo.inference.request import ClassifyRequest
from resnet_demo.parsing import parse, parse_link, whole
from resnet_demo.ui.address import query_for, query_of
from resnet_demo.ui.answer_callbacks import NO_CONTRAST, NO_SECOND, NOTHING, OWN, AnswerCallbacks, PictureInput
from resnet_demo.ui.form import or_none
from resnet_demo.ui.notices import warn
from resnet_demo.ui.picture import UPLOAD
from resnet_demo.ui.refusal import refusal
from resnet_demo.web import numbered_pictures
from resnet_demo.web.numbered_pictures import is_numbered


@dataclass
class ClassifyCallbacks(AnswerCallbacks):
    """The callbacks of the tab and of the API."""

    def arrive(self, picture: PictureInput, request: gr.Request) -> tuple[Any, ...]:
        """A page was opened, perhaps with a link that carries a request, or again with the visitor's own picture."""
        return _restore(picture, query_for("classify", request.query_params))

    def restore(self, picture: PictureInput, step: gr.EventData) -> tuple[Any, ...]:
        """The browser went back or forward to a request, which the address carries."""
        return _restore(picture, query_of(step))

    def classify(
        self, picture: PictureInput, model: str, second: str = "", stage: str = "", target: float = -1, contrast: float = -1,
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
            classify_request = parse(ClassifyRequest, words | {name: whole(value) for name, value in numbers.items()})
            report = [answer for answer in self.answer(picture, classify_request) if isinstance(answer, dict)][-1]
        except ResNetDemoError as error:
            raise refusal(str(error)) from error
        return {p["label"]: p["probability"] for p in report["answers"][0]["predictions"]}, report


def pick(selection: gr.SelectData) -> str:
    """The example that was clicked."""
    return str(EXAMPLE_PICTURES[selection.index].path)


def _restore(picture: PictureInput, query: Mapping[str, str]) -> tuple[Any, ...]:
    """The components as an address describes them, in the order in which `ask_contrast` takes them."""
    models = networks.choices(query.get("model", ""), query.get("second", ""))
    link = _request_of(query, [name for _, name in models])
    picture_update, fingerprint = _picture_of(picture, query.get("picture", ""))
    about = NOTHING | {
        "of": [link.model, link.second, fingerprint], "target": link.target, "target_of": link.target_of,
        "contrast": link.contrast,
    }  # fmt: skip
    contrasts = [NO_CONTRAST, *([(f"class {link.contrast}", link.contrast)] if link.contrast >= 0 else [])]
    return (
        picture_update,
        gr.Dropdown(models, value=link.model),
        gr.Dropdown(or_none(models, NO_SECOND), value=link.second or NO_SECOND),
        link.method,
        link.signed,
        about,
        gr.Dropdown(contrasts, value=link.contrast),
    )


def _request_of(query: Mapping[str, str], names: list[str]) -> ClassifyRequest:
    """The request that an address carries; the default, with a warning, where it is not valid."""
    try:
        fields = {name: value for name, value in query.items() if name not in ("stage", "top_k")}  # the widget's, and the API's
        link = parse_link(ClassifyRequest, {"model": names[0]} | fields)
        unknown = sorted({link.model, link.second} - {"", *names})
        if unknown:
            raise SettingError(f"There is no network {unknown[0][:80]!r} here.")
        return link
    except SettingError as error:
        warn(f"{error} What the link asks is left out.")
        return ClassifyRequest(model=names[0])


def _picture_of(picture: PictureInput, name: str) -> tuple[Any, str]:
    """The update of the picture component for that name, and the fingerprint. `picture` is the one in the browser."""
    first = EXAMPLE_PICTURES[0]
    if name == OWN:
        if isinstance(picture, Image.Image):
            return picture.info[UPLOAD], picture.info[FINGERPRINT]
        warn(f"The link's picture is a visitor's own: it stays in the tab where it was given, for a day. {_instead(first)}")
    elif is_numbered(name):
        try:
            return numbered_pictures.copy(name, allowed_data(), Path(get_upload_folder()) / "numbered")
        except PictureError as error:
            warn(f"{error} {_instead(first)}")
    elif name and name not in {example.name for example in EXAMPLE_PICTURES}:
        warn(f"There is no example picture {name[:80]!r}. {_instead(first)}")
    example = next((example for example in EXAMPLE_PICTURES if example.name == name), first)
    in_browser = picture.info[FINGERPRINT] if isinstance(picture, Image.Image) else ""
    return gr.skip() if in_browser == example.fingerprint else str(example.path), example.fingerprint


def _instead(example: Example) -> str:
    return f"The example {example.title!r} is shown instead."
