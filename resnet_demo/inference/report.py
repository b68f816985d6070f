"""What the page shows of a picture: one or two networks' answers and maps, as plain JSON values."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import SettingError
from resnet_demo.inference import honesty, overlay
from resnet_demo.inference.classify import Answer, classify
from resnet_demo.inference.explain import Map, grad_cam, stages
from resnet_demo.inference.question import Question
from resnet_demo.zoo.folder import Weights
from resnet_demo.zoo.shelf import shelf

MAP_SIDE = 112  # pixels of a map as it is sent; the browser scales it smoothly
PICTURE_SIDE = 448


def report(picture: Image.Image, question: Question) -> dict[str, Any]:
    """Ask the networks and explain their answers.

    Raises:
        SettingError: a class or a stage that the network does not have.
        WeightsError: a network cannot be loaded.
    """
    names = [question.model, *([question.second] if question.second else [])]
    answers = [classify(shelf().get(name, allow_paths=False), picture) for name in names]
    return {
        "state": "result",
        "sentence": _sentence(answers),
        "scale": _scale(signed=question.signed),
        "answers": [_answer(answer, picture, question) for answer in answers],
    }


def _answer(answer: Answer, picture: Image.Image, question: Question) -> dict[str, Any]:
    weights, predictions = answer.weights, answer.top(question.top_k)
    target = question.target if 0 <= question.target < len(weights.classes) else predictions[0].index
    if question.contrast >= len(weights.classes):
        raise SettingError(f"contrast: {weights.name} has {len(weights.classes)} classes, not {question.contrast + 1}.")
    contrast = question.contrast if question.contrast >= 0 else None
    maps = [grad_cam(answer, stage.name, target, contrast) for stage in stages(answer)]
    top = predictions[0]
    square = _square(picture, weights.preprocessing)
    return {
        "model": weights.name,
        "kind": "residual" if weights.model.config.residual else "plain",
        "about": _about(weights),
        "picture": _data_url(square),
        "square": square.width,
        "seen": _data_url(answer.seen),
        "side": answer.seen.width,
        "predictions": [{"label": p.label, "index": p.index, "probability": p.probability} for p in predictions],
        "target": target,
        "target_label": weights.classes[target],
        "words": honesty.sentence(top.label, top.probability, answer.entropy, weights.classes),
        "map_words": _map_words(maps[-1], weights.classes[target]),
        "stage": question.stage or maps[-1].stage.name,
        "stages": [_stage(found, signed=question.signed) for found in maps],
    }


def _scale(*, signed: bool) -> dict[str, str]:
    """The scale bar: a gradient of CSS, and what its ends mean."""
    colours = ", ".join(colour for _, colour in overlay.scale_bar(signed=signed))
    low, high = ("against", "for the class") if signed else ("nothing", "most")
    return {"gradient": f"linear-gradient(90deg, {colours})", "low": low, "high": high}


def _stage(found: Map, *, signed: bool) -> dict[str, Any]:
    heat = None if found.is_zero else _data_url(overlay.heat(found, (MAP_SIDE, MAP_SIDE), signed=signed))
    return {"name": found.stage.name, "title": found.stage.title, "size": list(found.stage.size), "heat": heat}


def _map_words(last: Map, label: str) -> str:
    return f"The last stage's map is all zero: nothing in this picture speaks for {label}." if last.is_zero else ""


def _about(weights: Weights) -> str:
    accuracy = weights.card.get("test_accuracy")
    measured = f", {100 * accuracy:.1f} % right on its test images" if accuracy else ""
    return f"{len(weights.classes):,} classes{measured}"


def _sentence(answers: Sequence[Answer]) -> str:
    tops = [answer.top(1)[0] for answer in answers]
    first, name = tops[0], answers[0].weights.name
    if len(answers) == 1:
        return f"{name} takes this for: {first.label}, {first.probability:.0%}."
    second, other = tops[1], answers[1].weights.name
    if first.label == second.label:
        return f"Both say {first.label}: {name} with {first.probability:.0%}, {other} with {second.probability:.0%}."
    return f"They disagree: {name} says {first.label} ({first.probability:.0%}), {other} says {second.label} ({second.probability:.0%})."


def _square(picture: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """The part of the picture that the network looks at, in the picture's own sharpness, at most 448 pixels wide."""
    side = min(round(min(picture.size) * preprocessing.image_size / preprocessing.resize), min(picture.size))
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    return square if side <= PICTURE_SIDE else square.resize((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.LANCZOS)


def _data_url(picture: Image.Image) -> str:
    """The picture inside a URL; PNG where it has transparency or few pixels, else JPEG."""
    exact = picture.mode == "RGBA" or picture.width <= 64
    encoded = io.BytesIO()
    picture.save(encoded, "PNG" if exact else "JPEG", **({} if exact else {"quality": 88}))
    return f"data:image/{'png' if exact else 'jpeg'};base64,{base64.b64encode(encoded.getvalue()).decode()}"
