"""A map as a coloured layer over the picture, in colours that colour-blind people can distinguish.

The support for a class goes from black through purple and orange to pale yellow, lighter with every step, so that
it also reads in grey. A signed map goes from blue (against) through white to vermillion (for).
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray
from PIL import Image

from resnet_demo.colours import BLUE, VERMILLION
from resnet_demo.inference.explain import Map

HEAT = ("#000004", "#1b0c41", "#4a0c6b", "#781c6d", "#a52c60", "#cf4446", "#ed6925", "#fb9b06", "#f7d13d", "#fcffa4")
"""Ten even steps of 'inferno' (Smith and van der Walt 2015, released into the public domain)."""

SIGNED = (BLUE.lower(), "#ffffff", VERMILLION.lower())


def _table(colours: tuple[str, ...]) -> NDArray[numpy.uint8]:
    """256 colours, (256, 3), linear between these."""
    anchors = numpy.array([list(bytes.fromhex(colour[1:])) for colour in colours], numpy.float64)
    at = numpy.linspace(0, len(colours) - 1, 256)
    channels = [numpy.interp(at, range(len(colours)), anchors[:, channel]) for channel in range(3)]
    return numpy.stack(channels, axis=1).round().astype(numpy.uint8)


_HEAT, _SIGNED = _table(HEAT), _table(SIGNED)


def heat(map: Map, size: tuple[int, int]) -> Image.Image:
    """The support for the class as a layer over a picture: the stronger, the less transparent.

    Colour and transparency follow from one value, so a palette holds both (mode "P"): a quarter of the bytes of
    RGBA, and a fifth of the time to write as PNG.

    Args:
        map: the map to draw.
        size: width and height; the map is smoothly enlarged.
    """
    heatmap = Image.fromarray((_enlarged(map.positive, size).clip(0, 1) * 255).round().astype(numpy.uint8))
    heatmap.putpalette(_HEAT.tobytes())
    heatmap.info["transparency"] = bytes(range(256))
    return heatmap


def signed_heat(map: Map, size: tuple[int, int]) -> Image.Image:
    """The support for and against the class as an RGBA layer, like that of `heat`."""
    heatmap = _enlarged(map.signed, size).clip(-1, 1)
    alpha = (numpy.abs(heatmap) * 255).round().astype(numpy.uint8)
    return Image.fromarray(numpy.dstack([_SIGNED[((heatmap + 1) * 127.5).round().astype(int)], alpha]))


def _enlarged(values: NDArray[numpy.float32], size: tuple[int, int]) -> NDArray[numpy.float32]:
    """Bicubic, which overshoots a little."""
    return numpy.asarray(Image.fromarray(values).resize(size, Image.Resampling.BICUBIC))


def overlay(picture: Image.Image, map: Map, opacity: float = 0.7, *, signed: bool = False) -> Image.Image:
    """An RGB picture with the map over it; opacity 0 to 1, where 0 gives the picture itself."""
    layer = (signed_heat if signed else heat)(map, picture.size).convert("RGBA")
    layer.putalpha(layer.getchannel("A").point(lambda value: round(value * opacity)))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def scale_bar(*, signed: bool = False) -> tuple[tuple[float, str], ...]:
    """The colours of the scale, as (value, "#rrggbb"): values from 0 to 1, or from -1 to 1."""
    colours = SIGNED if signed else HEAT
    values = numpy.linspace(-1 if signed else 0, 1, len(colours))
    return tuple((round(float(value), 4), colour) for value, colour in zip(values, colours, strict=True))
