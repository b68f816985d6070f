"""The callbacks of an answer about a picture: ask, ask about another class, cancel. Two tabs show answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import gradio as gr
from PIL import Image

from resnet_demo.comparison import allowed_data
from resnet_demo.errors import PictureError, ResNetDemoError, SettingError
from resnet_demo.inference import networks
from resnet_demo.inference.examples import EXAMPLE_PICTURES, FINGERPRINT
from resnet_demo.inference.request import ClassifyRequest
from resnet_demo.parsing import parse
from resnet_demo.ui.address import fields_of
from resnet_demo.ui.form import or_none
from resnet_demo.ui.picture import UPLOAD
from resnet_demo.web import numbered_pictures
from resnet_demo.zoo.catalogue import is_hub_id

NO_SECOND = "none"
NO_CONTRAST = ("none", -1)
NOTHING: dict[str, Any] = {"of": None, "target": -1, "target_of": 0, "contrast": -1, "answered": None}
"""Which class is explained: the first answer's most likely one, whatever the picture and the networks.

`of` holds the networks and the picture that `target` and `contrast` belong to; `answered` is the key of the request that the
page shows.
"""

OWN = "own"
"""The name, in the address, of a picture of the visitor's own."""

UNCHANGED = (gr.skip(),) * 5
PictureInput = Image.Image | PictureError | None
Update = tuple[Any, Any, Any, Any, Any]
"""The value of the widget, the classes to contrast with, what is explained, and the two lists of networks."""


def model_lists(model: str, second: str) -> tuple[Any, Any]:
    """The two lists of networks, with the models that are there now; a run's network, which a link names, stays in them."""
    models = networks.choices(model, second)
    return gr.Dropdown(models), gr.Dropdown(or_none(models, NO_SECOND))


@dataclass
class AnswerCallbacks:
    """The callbacks of the widget `answer`. They remember which request each open page waits for.

    Args:
        answer: yields progress sentences, then the report, then perhaps the report with more maps (`Engine.answer`).
        cancel_downloads: ends the downloads of models by their names (`Engine.cancel_downloads`).
    """

    answer: Callable[[Image.Image, ClassifyRequest], Iterator[str | dict[str, Any]]]
    cancel_downloads: Callable[[list[str]], None]
    _in_progress: dict[str, tuple[str, list[Any]]] = field(default_factory=dict)  # by page: ticket and key of the request

    def ask(
        self, picture: PictureInput, model: str, second: str, method: str, signed: bool, about: dict[str, Any],
        request: gr.Request,
    ) -> Iterator[Update]:  # fmt: skip
        """Classify the picture and explain the answer.

        The class that was clicked, and the one to contrast it with, belong to the networks and the picture that
        `about` is `of`; for others the most likely class is explained. They are not read from the page, where an answer
        that has just arrived may not be drawn yet. A page's next request ends the one before; the same request again,
        which browsers send when a list loses the focus, changes nothing.
        """
        second = "" if second == NO_SECOND else second
        fields = {"model": model, "second": second, "method": method, "signed": signed}
        ticket = uuid4().hex  # by which the widget recognizes late updates of a cancelled request
        page = request.session_hash or ticket
        key: list[Any] = [ticket]
        if isinstance(picture, Image.Image):
            of = [model, second, picture.info.get(FINGERPRINT)]
            if about["of"] != of:
                about = NOTHING | {"of": of, "answered": about["answered"]}
            key = _key(fields, about)
        if key == self._in_progress.get(page, ("", about["answered"]))[1]:
            yield UNCHANGED
        else:
            yield from self._while_latest(page, ticket, key, self._updates(picture, fields, about))

    def ask_about_picture(
        self, picture: PictureInput, model: str, second: str, method: str, signed: bool, about: dict[str, Any],
        request: gr.Request,
    ) -> Iterator[Update]:  # fmt: skip
        """Classify a picture that is another one than before.

        A link sets the picture, too, and asks for itself: this event then comes with what the other components held before.
        """
        if isinstance(picture, Image.Image) and about["of"] and picture.info.get(FINGERPRINT) == about["of"][2]:
            yield UNCHANGED
        else:
            yield from self.ask(picture, model, second, method, signed, about, request)

    def ask_contrast(
        self, picture: PictureInput, model: str, second: str, method: str, signed: bool, about: dict[str, Any],
        contrast: int, request: gr.Request,
    ) -> Iterator[Update]:  # fmt: skip
        """Contrast the explained class with the selected one."""
        yield from self.ask(picture, model, second, method, signed, about | {"contrast": contrast}, request)

    def ask_about(
        self, picture: PictureInput, model: str, second: str, method: str, signed: bool, about: dict[str, Any],
        click: gr.EventData, request: gr.Request,
    ) -> Iterator[Update]:  # fmt: skip
        """Explain the class that was clicked, of the network in whose list it stands."""
        target, target_of = (fields_of(click).get(name) for name in ("target", "answer"))
        keeps_contrast = target_of == about["target_of"] and about["contrast"] != target
        contrast = about["contrast"] if keeps_contrast else -1
        about = about | {"target": target, "target_of": target_of, "contrast": contrast}
        yield from self.ask(picture, model, second, method, signed, about, request)

    def cancel(self, model: str, second: str, about: dict[str, Any]) -> tuple[Any, ...]:
        """End what is in progress, a download too; the widget keeps what it showed."""
        self.cancel_downloads([model, second])
        contrast, about, *networks = _as_answered(about)
        return {"state": "stopped", "message": "Cancelled."}, contrast, about | {"answered": None}, *networks

    def _while_latest(self, page: str, ticket: str, key: list[Any], updates: Iterator[Update]) -> Iterator[Update]:
        """The updates, each with the ticket, until another request of the page is in progress."""
        self._in_progress[page] = ticket, key
        try:
            for answer, *others in updates:
                if not self._is_latest(page, ticket):
                    yield UNCHANGED  # an event that yields nothing empties its outputs
                    return
                yield {"ticket": ticket} | answer, *others
        finally:
            if self._is_latest(page, ticket):
                del self._in_progress[page]

    def _is_latest(self, page: str, ticket: str) -> bool:
        return self._in_progress.get(page, ("", []))[0] == ticket

    def _updates(self, picture: PictureInput, fields: dict[str, Any], about: dict[str, Any]) -> Iterator[Update]:
        no_contrast = gr.Dropdown([NO_CONTRAST], value=-1)
        if not isinstance(picture, Image.Image):
            yield _without_answer(picture), no_contrast, NOTHING, gr.skip(), gr.skip()
            return
        classes = {name: about[name] for name in ("target", "target_of", "contrast")}
        explained: Any = about  # set at once: what is asked before the answer comes must not forget the classes
        try:
            for answer in self.answer(picture, parse(ClassifyRequest, fields | classes)):
                if isinstance(answer, str):
                    yield {"state": "loading", "message": answer}, gr.skip(), explained, gr.skip(), gr.skip()
                    explained = gr.skip()  # or a late sentence would undo what a cancellation has set
                else:
                    # With more maps, the same around the answer as before: Gradio's page applies the difference of two
                    # updates to the first one, which it may not have read yet.
                    yield _result(answer, picture, fields, about)
        except SettingError as error:  # a class that the network does not have: it is not asked for again
            yield {"state": "error", "message": str(error)}, no_contrast, NOTHING, *_as_answered(about)[2:]
        except ResNetDemoError as error:
            yield {"state": "error", "message": str(error)}, *_as_answered(about)


def _as_answered(about: dict[str, Any]) -> tuple[Any, dict[str, Any], Any, Any]:
    """The contrast, what is explained, and the two lists of networks, as the answer on the page has them.

    A network that could not be loaded, or a class whose answer was cancelled, does not stay selected.
    """
    if not about["answered"]:
        return gr.skip(), about, gr.skip(), gr.skip()
    picture, model, second, target, target_of, contrast, *_ = about["answered"]
    about = about | {"of": [model, second, picture], "target": target, "target_of": target_of, "contrast": contrast}
    return gr.update(value=contrast), about, gr.update(value=model), gr.update(value=second or NO_SECOND)


def _key(fields: Mapping[str, Any], about: Mapping[str, Any]) -> list[Any]:
    """All that a request consists of: the picture's fingerprint, the networks, the classes, and the rest."""
    model, second, picture = about["of"]
    classes = (about["target"], about["target_of"], about["contrast"])
    return [picture, model, second, *classes, fields["method"], fields["signed"]]


def _result(answer: dict[str, Any], picture: Image.Image, fields: dict[str, Any], about: dict[str, Any]) -> Update:
    """The answer, and what changes around it."""
    explained = answer["answers"][about["target_of"]]
    contrast = about["contrast"] if explained["contrast_label"] else -1
    example = next((example.name for example in EXAMPLE_PICTURES if example.fingerprint == picture.info.get(FINGERPRINT)), "")
    upload = "" if example else picture.info.get(UPLOAD, "")
    example = example or numbered_pictures.name_of(upload, picture.info.get(FINGERPRINT, ""), allowed_data())
    address = {"picture": example or (OWN if upload else ""), "contrast": contrast}
    answer = answer | {"asked": answer["asked"] | address, "upload": upload}
    about = about | {"contrast": contrast}
    about |= {"answered": _key(fields, about)}
    from_hub = is_hub_id(fields["model"]) or is_hub_id(fields["second"])  # perhaps downloaded just now: the lists tell
    lists = model_lists(fields["model"], fields["second"]) if from_hub else (gr.skip(), gr.skip())
    return answer, gr.Dropdown(_contrasts(explained, contrast), value=contrast), about, *lists


def _without_answer(picture: PictureError | None) -> dict[str, Any]:
    """The value of the widget where there is no picture, or one that cannot be read: no answer of an earlier one."""
    if picture is None:
        return {"state": "empty", "message": "Choose a picture: drop one, paste one, or take an example.", "answers": []}
    return {"state": "error", "message": str(picture), "answers": []}


def _contrasts(answer: dict[str, Any], selection: int) -> list[tuple[str, int]]:
    """The classes to contrast with: the others in the list of predictions, and the selected one."""
    others = {p["index"]: p["label"] for p in answer["predictions"] if p["index"] != answer["target"]}
    if selection >= 0:
        others.setdefault(selection, answer["contrast_label"])
    return [NO_CONTRAST, *((label, index) for index, label in others.items())]
