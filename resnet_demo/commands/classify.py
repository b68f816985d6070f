"""`classify`: pictures in, labels out, and a picture of where the network looked."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_demo.errors import PictureError, SettingError
from resnet_demo.words import share

if TYPE_CHECKING:
    from resnet_demo.inference.classify import Answer

CAM_SIDE = 448
"""Side in pixels of the picture that --cam writes; a 32 × 32 picture would be too small to see."""


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    classify = to.add_parser("classify", help="say what pictures show, and where the network looked", description=run.__doc__)
    classify.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="a picture file")
    classify.add_argument(
        "--model", default="resnet20-cifar10", metavar="M", help="a folder under weights/, a path or a Hub id"
    )
    classify.add_argument("--top-k", type=int, default=5, metavar="K", help="how many classes to tell (default: 5)")
    classify.add_argument("--cam", type=Path, metavar="FILE.png", help="write the Grad-CAM over what the network saw")
    classify.add_argument("--stage", metavar="NAME", help="the stage of the Grad-CAM: layer1, … (default: the last)")
    classify.add_argument(
        "--target", metavar="CLASS", help="the class of the Grad-CAM, by name or number (default: the answer)"
    )
    classify.add_argument("--json", action="store_true", help="print one JSON value")
    classify.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Classify pictures with one model. A file that is not a picture is reported on standard error; the others are still classified."""
    if parsed.top_k < 1:
        raise SettingError(f"--top-k must be at least 1, not {parsed.top_k}.")
    if (parsed.stage or parsed.target) and not parsed.cam:
        raise SettingError("--stage and --target choose the map that --cam writes: give --cam FILE.png too.")
    from resnet_demo.data.image import read
    from resnet_demo.inference.classify import classify
    from resnet_demo.zoo.model_cache import ModelCache

    weights = ModelCache().get(parsed.model, allow_paths=True)
    entries, status = [], 0
    for number, path in enumerate(parsed.images, start=1):
        try:
            picture = read(path)
        except PictureError as error:
            print(f"resnet_demo: {error}", file=sys.stderr)
            status = 1
            continue
        answer = classify(weights, picture)
        entry = _entry(path, answer, parsed.top_k)
        if parsed.cam:
            entry |= _write_cam(answer, _numbered(parsed.cam, number, len(parsed.images)), parsed)
        entries.append(entry)
        if not parsed.json:
            print(_text(entry))
    if parsed.json:
        print(json.dumps(entries, indent=1))
    return status


def _entry(path: Path, answer: Answer, top_k: int) -> dict[str, Any]:
    return {
        "image": str(path),
        "model": answer.weights.name,
        "predictions": [{"label": item.label, "probability": round(item.probability, 6)} for item in answer.top(top_k)],
        "entropy": round(answer.entropy, 6),
        "unsure": answer.unsure,
    }


def _write_cam(answer: Answer, file: Path, parsed: argparse.Namespace) -> dict[str, Any]:
    from PIL import Image

    from resnet_demo.inference import explain
    from resnet_demo.inference.overlay import overlay

    stage = parsed.stage or explain.stages(answer)[-1].name
    target = _class_index(parsed.target, answer.weights.classes) if parsed.target else answer.top(1)[0].index
    cam = explain.grad_cam(answer, stage, target)
    picture = answer.square.resize((CAM_SIDE, CAM_SIDE), Image.Resampling.BICUBIC)
    try:
        overlay(picture, cam).save(file)
    except (OSError, ValueError) as error:
        raise SettingError(
            f"The map cannot be written to {file}: {error}. Name a .png file in a folder that exists."
        ) from error
    return {"cam": str(file), "stage": stage, "target": answer.weights.classes[target], "cam_is_zero": cam.is_zero}


def _class_index(target: str, classes: tuple[str, ...]) -> int:
    """The index of the class of this number or name; a part of the name is enough if only one class contains it."""
    if target.isdecimal() and int(target) < len(classes):
        return int(target)
    query = target.casefold()
    names = [name.casefold() for name in classes]
    matches = [i for i, name in enumerate(names) if name == query] or [i for i, name in enumerate(names) if query in name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise SettingError(f"--target {target!r} fits several classes: {', '.join(classes[i] for i in matches[:5])}. Name one.")
    raise SettingError(
        f"--target {target!r} is no class of this model; it knows {', '.join(classes[:10])}{' …' * (len(classes) > 10)}."
    )


def _numbered(file: Path, number: int, count: int) -> Path:
    """`cam.png` for one picture, `cam-2.png` for the second of several."""
    return file if count == 1 else file.with_name(f"{file.stem}-{number}{file.suffix}")


def _text(entry: dict[str, Any]) -> str:
    lines = [entry["image"]]
    lines += [f"  {share(item['probability']):>7}  {item['label']}" for item in entry["predictions"]]
    if entry["unsure"]:
        lines.append(f"  {entry['unsure']}")
    if "cam" in entry:
        nothing = " Nothing there speaks for the class: the map is all zero." if entry["cam_is_zero"] else ""
        lines.append(f"  Where {entry['stage']} saw {entry['target']}: {entry['cam']}.{nothing}")
    return "\n".join(lines)
