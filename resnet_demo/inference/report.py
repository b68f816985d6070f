"""The content of the page about a picture: the answers and maps of one or two networks, as plain JSON values."""

from __future__ import annotations

import base64
import io
import time
import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

from huggingface_hub import constants
from PIL import Image

from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import HubError, SettingError
from resnet_demo.hub.fetch import DownloadCancelled
from resnet_demo.inference import overlay
from resnet_demo.inference.classify import Answer, classify
from resnet_demo.inference.examples import EXAMPLE_PICTURES, FINGERPRINT
from resnet_demo.inference.explain import Map, Method, all_stages, attribute
from resnet_demo.inference.request import METHODS, ClassifyRequest
from resnet_demo.inference.services import Models
from resnet_demo.words import share
from resnet_demo.zoo.catalogue import available, title_of
from resnet_demo.zoo.folder import Weights

MAP_SIDE = 112  # pixels of a map as it is sent; the browser scales it smoothly
PICTURE_SIDE = 448
SECONDS_BETWEEN_POLLS = 0.2
TITLES = {method: title for title, method in METHODS.items()}


def report(
    picture: Image.Image,
    request: ClassifyRequest,
    models: Models,
    *,
    say: Callable[[str], object] = lambda _: None,
    should_cancel: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Classify a picture with the networks of a request, and explain the answers.

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
    names = [request.model, *([request.second] if request.second else [])]
    if request.target_of >= len(names):
        raise SettingError("target_of: there is no second network to take the class from.")
    networks = [load_network(models, name, say, should_cancel) for name in names]
    key = _cache_key(picture, request, networks)
    cached = models.answers.get(key) if key is not None else None
    if cached is not None:
        return cached
    with models.threads.share(max(weights.preprocessing.image_size for weights in networks)):
        answer = _report(picture, request, networks, say, should_cancel)
    answer["machine"] = f"Computed on {models.device.name}. {models.device.reason}".strip()
    if key is not None:
        models.answers.put(key, answer)
    return answer


def _report(
    picture: Image.Image, request: ClassifyRequest, networks: Sequence[Weights],
    say: Callable[[str], object], should_cancel: Callable[[], bool],
) -> dict[str, Any]:  # fmt: skip
    answers = [classify(weights, picture) for weights in networks]
    numbering = networks[request.target_of]
    labels = [_label(numbering, request.target, "target"), _label(numbering, request.contrast, "contrast")]
    return {
        "state": "result",
        "sentence": _sentence(answers),
        "scale": _scale(signed=request.signed),
        "asked": request.model_dump(exclude={"stage", "top_k"}),
        "preview": _preview(picture),
        "answers": [
            _answer(answer, picture, request, _classes(answer, numbering, request, labels), say, should_cancel)
            for answer in answers
        ],
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


def _answer(
    answer: Answer, picture: Image.Image, request: ClassifyRequest, about: tuple[int, int | None],
    say: Callable[[str], object], should_cancel: Callable[[], bool],
) -> dict[str, Any]:  # fmt: skip
    weights, predictions = answer.weights, answer.top(request.top_k)
    target, contrast = about
    maps = list(all_stages(answer, target, contrast))
    names = [map.stage.name for map in maps]
    if request.stage and request.stage not in names:
        raise SettingError(f"stage: {weights.name} has no stage {request.stage!r}: say {', '.join(names)}.")
    stage = request.stage or names[-1]
    if request.method != "grad-cam":
        maps.append(_attribute(weights, picture, request, target, say, should_cancel))
        stage = maps[-1].stage.name
    square = _square(picture, weights.preprocessing)
    return {
        "model": weights.name,
        "title": title_of(weights.name),
        "kind": "residual" if weights.model.config.residual else "plain",
        "about": _about(weights),
        "picture": _data_url(square),
        "square": square.width,
        "seen": _data_url(answer.square),
        "side": answer.square.width,
        "predictions": [{"label": p.label, "index": p.index, "probability": p.probability} for p in predictions],
        "target": target,
        "target_label": weights.classes[target],
        "contrast_label": weights.classes[contrast] if contrast is not None else "",
        "words": answer.words,
        "map_words": _map_words(maps, weights.classes, target, contrast),
        "stage": stage,
        "stages": [_stage(map, signed=request.signed) for map in maps],
    }


def _attribute(
    weights: Weights, picture: Image.Image, request: ClassifyRequest, target: int,
    say: Callable[[str], object], should_cancel: Callable[[], bool],
) -> Map:  # fmt: skip
    title = title_of(weights.name)

    def progress(done: float) -> None:
        say(f"{TITLES[request.method]} of {title}: {done:.0%}.")

    method = cast(Method, request.method)  # the caller excludes Grad-CAM
    return attribute(weights, picture, method, target, should_cancel=should_cancel, on_progress=progress)


def _scale(*, signed: bool) -> dict[str, str]:
    """The scale bar: a gradient of CSS, and what its ends mean."""
    colours = ", ".join(colour for _, colour in overlay.scale_bar(signed=signed))
    low, high = ("against", "for the class") if signed else ("nothing", "most")
    return {"gradient": f"linear-gradient(90deg, {colours})", "low": low, "high": high}


def _stage(map: Map, *, signed: bool) -> dict[str, Any]:
    empty = map.is_zero and not signed
    draw = overlay.signed_heat if signed else overlay.heat
    heat = None if empty else _data_url(draw(map, (MAP_SIDE, MAP_SIDE)))
    title = TITLES[map.method] if map.method != "grad-cam" else map.stage.title
    return {"name": map.stage.name, "title": title, "size": list(map.stage.size), "heat": heat}


def _map_words(maps: Sequence[Map], classes: Sequence[str], target: int, contrast: int | None) -> str:
    """The sentences that limit what the maps mean."""
    explained = classes[target] + (f" rather than {classes[contrast]}" if contrast is not None else "")
    last = [map for map in maps if map.method == "grad-cam"][-1]
    words = [f"The last stage's map is all zero: nothing in this picture speaks for {explained}."] if last.is_zero else []
    if contrast is not None:
        words.append(f"The stages' maps show what speaks for {explained}.")
        words += [f"{TITLES[map.method]} explains {classes[target]} alone." for map in maps if map.method != "grad-cam"]
    return " ".join(words)


def _about(weights: Weights) -> str:
    accuracy = weights.card.get("test_accuracy")
    measured = f", {100 * accuracy:.1f} % right on its test images" if accuracy else ""
    return f"{len(weights.classes):,} classes{measured}"


def _sentence(answers: Sequence[Answer]) -> str:
    best = [(title_of(answer.weights.name), answer.top(1)[0]) for answer in answers]
    (name, first), its_share = best[0], share(best[0][1].probability)
    if len(best) == 1:
        return f"{name} takes this for: {first.label}, {its_share}."
    (other, second), other_share = best[1], share(best[1][1].probability)
    if first.label == second.label:
        return f"Both say {first.label}: {name} with {its_share}, {other} with {other_share}."
    if first.label not in answers[1].weights.classes or second.label not in answers[0].weights.classes:
        return f"They know different classes: {name} says {first.label} ({its_share}), {other} says {second.label} ({other_share})."
    return f"They disagree: {name} says {first.label} ({its_share}), {other} says {second.label} ({other_share})."


def _square(picture: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """The part of the picture that the network sees, at the picture's own resolution, at most 448 pixels wide."""
    box = preprocessing.box(picture.size)
    side = max(round(box[2] - box[0]), 1)
    small = min(side, PICTURE_SIDE)
    return picture.resize((small, small), Image.Resampling.LANCZOS, box=box)


def _preview(picture: Image.Image) -> str:
    """A small copy, in a data: URL, of a picture that most browsers cannot display (HEIC); empty for others."""
    if picture.format != "HEIF":
        return ""
    small = picture.copy()
    small.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    return _data_url(small)


def _data_url(picture: Image.Image) -> str:
    """The picture inside a URL; PNG where it has transparency or few pixels, else JPEG."""
    exact = picture.mode != "RGB" or picture.width <= 64
    encoded = io.BytesIO()
    picture.save(encoded, "PNG" if exact else "JPEG", **({} if exact else {"quality": 88}))
    return f"data:image/{'png' if exact else 'jpeg'};base64,{base64.b64encode(encoded.getvalue()).decode()}"
