"""The content of the page about a picture: the answers and maps of one or two networks, as plain JSON values."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from huggingface_hub import constants
from PIL import Image

from resnet_demo.errors import HubError, SettingError
from resnet_demo.hub.fetch import DownloadCancelled
from resnet_demo.inference import drawings
from resnet_demo.inference.classify import Answer, classify
from resnet_demo.inference.examples import EXAMPLE_PICTURES, FINGERPRINT
from resnet_demo.inference.explain import Map, Method, attribute, grad_cams, stages
from resnet_demo.inference.request import TITLES, ClassifyRequest
from resnet_demo.inference.services import Models
from resnet_demo.words import share
from resnet_demo.zoo.catalogue import available, title_of
from resnet_demo.zoo.folder import Weights

SECONDS_BETWEEN_POLLS = 0.2


class Finish(Protocol):
    """Computes the rest of an answer."""

    def __call__(self, *, say: Callable[[str], object], should_cancel: Callable[[], bool]) -> dict[str, Any]:
        """The whole answer."""


@dataclass(frozen=True)
class Draft:
    """An answer that can be shown, while the maps of the other stages are still to be computed.

    Args:
        report: the answer with the map that is shown first. The other stages are in it with `pending`, without a map.
        finish: computes the whole answer (`ui.background.Work`); None if `report` is the whole answer.
    """

    report: dict[str, Any]
    finish: Finish | None = None


def report(
    picture: Image.Image,
    request: ClassifyRequest,
    models: Models,
    *,
    say: Callable[[str], object] = lambda _: None,
    should_cancel: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Classify a picture with the networks of a request, and explain the answers: with the map of every stage.

    Args:
        picture: RGB, of any size.
        request: which networks, and what to explain.
        models: the models of the app.
        say: called with a sentence about the progress of slow work.
        should_cancel: called several times a second during slow work.

    Raises:
        SettingError: a class or a stage that a network does not have.
        WeightsError: a network cannot be loaded.
    """
    first = draft(picture, request, models, say=say, should_cancel=should_cancel)
    return first.finish(say=say, should_cancel=should_cancel) if first.finish else first.report


def draft(
    picture: Image.Image,
    request: ClassifyRequest,
    models: Models,
    *,
    say: Callable[[str], object] = lambda _: None,
    should_cancel: Callable[[], bool] = lambda: False,
) -> Draft:
    """The answer of `report` as soon as it can be shown. Takes and raises the same.

    It takes one forward pass of each network, and the gradient of the last layers. An answer from the cache, and one by a
    method of many passes, come whole.
    """
    names = [request.model, *([request.second] if request.second else [])]
    if request.target_of >= len(names):
        raise SettingError("target_of: there is no second network to take the class from.")
    networks = [load_network(models, name, say, should_cancel) for name in names]
    key = _cache_key(picture, request, networks)
    cached = models.answers.get(key) if key is not None else None
    if cached is not None:
        return Draft(cached)
    side = max(weights.preprocessing.image_size for weights in networks)
    with models.threads.share(side):
        explanations = _explanations(picture, request, networks)
        first = _report(picture, request, explanations)
    first["machine"] = f"Computed on {models.device.name}. {models.device.reason}".strip()

    def finish(say: Callable[[str], object], should_cancel: Callable[[], bool]) -> dict[str, Any]:
        with models.threads.share(side):
            whole = first | {
                "answers": [
                    values | _all_stages(explanation, values, picture, request, say, should_cancel)
                    for values, explanation in zip(first["answers"], explanations, strict=True)
                ]
            }
        if key is not None:
            models.answers.put(key, whole)
        return whole

    return Draft(first, finish) if request.method == "grad-cam" else Draft(finish(say, should_cancel))


@dataclass(frozen=True)
class _Explanation:
    """The answer of a network with that title, and what is explained of it: a class, perhaps rather than another one."""

    title: str
    answer: Answer
    target: int
    contrast: int | None


def _explanations(picture: Image.Image, request: ClassifyRequest, networks: Sequence[Weights]) -> list[_Explanation]:
    answers = [classify(weights, picture) for weights in networks]
    numbering = networks[request.target_of]
    labels = [_label(numbering, request.target, "target"), _label(numbering, request.contrast, "contrast")]
    return [
        _Explanation(title_of(answer.weights.name), answer, *_classes(answer, numbering, request, labels)) for answer in answers
    ]


def _report(picture: Image.Image, request: ClassifyRequest, explanations: Sequence[_Explanation]) -> dict[str, Any]:
    return {
        "state": "result",
        "sentence": _sentence(explanations),
        "scale": drawings.scale(signed=request.signed),
        "asked": request.model_dump(exclude={"stage", "top_k"}),
        "preview": drawings.preview(picture),
        "answers": [_answer(explanation, picture, request) for explanation in explanations],
    }


def _cache_key(picture: Image.Image, request: ClassifyRequest, networks: Sequence[Weights]) -> Hashable | None:
    """All that the answer about an example depends on: the file, the weights in memory, the request. None for other pictures.

    The weights count, not their name, and are not kept alive: loaded again, they make another key.
    """
    fingerprint = picture.info.get(FINGERPRINT)
    if fingerprint not in [example.fingerprint for example in EXAMPLE_PICTURES]:
        return None
    return fingerprint, tuple(weakref.ref(weights.model) for weights in networks), request


def load_network(models: Models, name: str, say: Callable[[str], object], should_cancel: Callable[[], bool]) -> Weights:
    """The network of that name. A download continues after its request is cancelled, for the next request."""
    if models.downloads.is_local(name):
        if not models.cache.is_loaded(name):
            say(f"Loading {title_of(name)}.")
        return models.cache.get(name, should_cancel=should_cancel)
    if name not in [entry.name for entry in available()]:
        raise SettingError(
            f"model: {name[:80]!r} is not among the models of this app. Fetch it where the app runs, with prefetch."
        )
    if constants.HF_HUB_OFFLINE:
        raise HubError(
            f"{title_of(name)} is not on this machine, and the app runs offline. Whoever runs the app can fetch it over a "
            f'network with "python -m resnet_demo prefetch --model {name}".'
        )
    download, title = models.downloads.start(name), title_of(name)
    while download.in_progress:
        size = f": {download.done / 1e6:.0f} of {download.total / 1e6:.0f} MB" if download.total else ""
        say(f"Downloading {title} from the Hugging Face Hub{size}.")
        if should_cancel():
            raise DownloadCancelled(f"Nobody waits for {title} any more.")
        time.sleep(SECONDS_BETWEEN_POLLS)
        download = models.downloads.state(name) or download
    if download.state != "ready":
        raise HubError(download.message or f"The download of {title} was cancelled.")
    return models.cache.get(name)


def _label(weights: Weights, index: int, name: str) -> str:
    """The class of that number, or nothing for -1."""
    if index >= len(weights.classes):
        raise SettingError(f"{name}: {weights.name} has the classes 0 to {len(weights.classes) - 1}, not {index}.")
    return weights.classes[index] if index >= 0 else ""


def _classes(answer: Answer, numbering: Weights, request: ClassifyRequest, labels: Sequence[str]) -> tuple[int, int | None]:
    """Target and contrast in this network's own numbering.

    For a target that it does not have, its most likely class; a contrast that it does not have, or the target, is dropped.
    """
    classes, first = answer.weights.classes, answer.top(1)[0].index
    if answer.weights is numbering:
        target, contrast = request.target if labels[0] else first, request.contrast if labels[1] else None
    else:
        own_target, contrast = (classes.index(label) if label in classes else None for label in labels)
        target = first if own_target is None else own_target
    return target, None if contrast == target else contrast


def _answer(explanation: _Explanation, picture: Image.Image, request: ClassifyRequest) -> dict[str, Any]:
    """The answer of one network with the map of its last stage; the other stages are pending."""
    answer, target, contrast = explanation.answer, explanation.target, explanation.contrast
    weights, predictions = answer.weights, answer.top(request.top_k)
    *earlier, last = stages(answer)
    names = [stage.name for stage in (*earlier, last)]
    if request.stage and request.stage not in names:
        raise SettingError(f"stage: {weights.name} has no stage {request.stage!r}: say {', '.join(names)}.")
    (cam,) = grad_cams(answer, [last.name], target, contrast)
    square = drawings.square(picture, weights.preprocessing)
    return {
        "model": weights.name,
        "title": explanation.title,
        "kind": weights.model.config.kind,
        "about": _about(weights),
        "picture": drawings.data_url(square),
        "square": square.width,
        "seen": drawings.data_url(answer.square),
        "side": answer.square.width,
        "predictions": [{"label": p.label, "index": p.index, "probability": p.probability} for p in predictions],
        "target": target,
        "target_label": weights.classes[target],
        "contrast_label": weights.classes[contrast] if contrast is not None else "",
        "words": answer.words,
        "map_words": _map_words(cam, request.method, weights.classes, contrast),
        "stage": request.stage or last.name,
        "stages": [
            *({**drawings.place(stage, stage.title), "pending": True} for stage in earlier),
            drawings.drawing(cam, signed=request.signed),
        ],
    }


def _all_stages(
    explanation: _Explanation, values: dict[str, Any], picture: Image.Image, request: ClassifyRequest,
    say: Callable[[str], object], should_cancel: Callable[[], bool],
) -> dict[str, Any]:  # fmt: skip
    """What changes in `values`, the answer with the last stage's map, when it has all maps."""
    answer, earlier = explanation.answer, [stage.name for stage in stages(explanation.answer)[:-1]]
    maps = grad_cams(answer, earlier, explanation.target, explanation.contrast)
    strip = [*(drawings.drawing(map, signed=request.signed) for map in maps), values["stages"][-1]]
    if request.method == "grad-cam":
        return {"stages": strip}
    attribution = _attribute(explanation, picture, request, say, should_cancel)
    return {"stages": [*strip, drawings.drawing(attribution, signed=request.signed)], "stage": attribution.stage.name}


def _attribute(
    explanation: _Explanation, picture: Image.Image, request: ClassifyRequest,
    say: Callable[[str], object], should_cancel: Callable[[], bool],
) -> Map:  # fmt: skip
    def progress(done: float) -> None:
        say(f"{TITLES[request.method]} of {explanation.title}: {done:.0%}.")

    weights, method = explanation.answer.weights, cast(Method, request.method)  # the caller excludes Grad-CAM
    return attribute(weights, picture, method, explanation.target, should_cancel=should_cancel, on_progress=progress)


def _map_words(last: Map, method: str, classes: Sequence[str], contrast: int | None) -> str:
    """The sentences that limit what the maps mean."""
    target = classes[last.target]
    explained = target + (f" rather than {classes[contrast]}" if contrast is not None else "")
    words = [f"The last stage's map is all zero: nothing in this picture speaks for {explained}."] if last.is_zero else []
    if contrast is not None:
        words.append(f"The stages' maps show what speaks for {explained}.")
        words += [f"{TITLES[method]} explains {target} alone."] if method != "grad-cam" else []
    return " ".join(words)


def _about(weights: Weights) -> str:
    accuracy = weights.card.get("test_accuracy")
    measured = f", {100 * accuracy:.1f} % right on its test images" if accuracy else ""
    return f"{len(weights.classes):,} classes{measured}"


def _sentence(explanations: Sequence[_Explanation]) -> str:
    best = [(explanation.title, explanation.answer.top(1)[0]) for explanation in explanations]
    (name, first), its_share = best[0], share(best[0][1].probability)
    if len(best) == 1:
        return f"{name} takes this for: {first.label}, {its_share}."
    (other, second), other_share = best[1], share(best[1][1].probability)
    if first.label == second.label:
        return f"Both say {first.label}: {name} with {its_share}, {other} with {other_share}."
    classes, other_classes = (explanation.answer.weights.classes for explanation in explanations)
    if first.label not in other_classes or second.label not in classes:
        return f"They know different classes: {name} says {first.label} ({its_share}), {other} says {second.label} ({other_share})."
    return f"They disagree: {name} says {first.label} ({its_share}), {other} says {second.label} ({other_share})."
