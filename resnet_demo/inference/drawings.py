"""Pictures and maps as the page takes them: plain JSON values with data: URLs."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.inference import overlay
from resnet_demo.inference.explain import Map, Stage
from resnet_demo.inference.request import TITLES

STAGE_SIDE, PIXELS_SIDE = (
    64,
    112,
)  # of a map as it is sent, for a stage (at most 56×56) and for the input; browsers scale smoothly
PICTURE_SIDE = 448


def scale(*, signed: bool) -> dict[str, str]:
    """The scale bar: a gradient of CSS, and what its ends mean."""
    colours = ", ".join(colour for _, colour in overlay.scale_bar(signed=signed))
    low, high = ("against", "for the class") if signed else ("nothing", "most")
    return {"gradient": f"linear-gradient(90deg, {colours})", "low": low, "high": high}


def drawing(map: Map, *, signed: bool) -> dict[str, Any]:
    """A map as a layer over the picture, and its place in the strip; no layer where nothing speaks for the class."""
    empty = map.is_zero and not signed
    draw = overlay.signed_heat if signed else overlay.heat
    side, title = (STAGE_SIDE, map.stage.title) if map.method == "grad-cam" else (PIXELS_SIDE, TITLES[map.method])
    heat = None if empty else data_url(draw(map, (side, side)))
    return {**place(map.stage, title), "heat": heat}


def place(stage: Stage, title: str) -> dict[str, Any]:
    """What the page needs of a map's place in the strip."""
    return {"name": stage.name, "title": title, "size": list(stage.size)}


def square(picture: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """The part of the picture that the network sees, at the picture's own resolution, at most 448 pixels wide.

    Up to that size it is cut out at whole pixels, which takes no time and changes no pixel.
    """
    left, top, right, bottom = box = preprocessing.box(picture.size)
    side = max(round(min(right - left, bottom - top)), 1)
    if side <= PICTURE_SIDE:
        left, top = (min(round(start), length - side) for start, length in zip((left, top), picture.size, strict=True))
        return picture.crop((left, top, left + side, top + side))
    return picture.resize((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def preview(picture: Image.Image) -> str:
    """A small copy, in a data: URL, of a picture that most browsers cannot display (HEIC); empty for others."""
    if picture.format != "HEIF":
        return ""
    small = picture.copy()
    small.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    return data_url(small)


def data_url(picture: Image.Image) -> str:
    """The picture inside a URL; PNG where it has transparency or few pixels, else JPEG."""
    exact = picture.mode != "RGB" or picture.width <= 64
    encoded = io.BytesIO()
    picture.save(encoded, "PNG" if exact else "JPEG", **({} if exact else {"quality": 88}))
    return f"data:image/{'png' if exact else 'jpeg'};base64,{base64.b64encode(encoded.getvalue()).decode()}"
