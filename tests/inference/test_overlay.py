from __future__ import annotations

import numpy
import pytest
from PIL import Image, ImageColor

from resnet_demo.inference.explain import Map, Stage
from resnet_demo.inference.overlay import HEAT, heat, overlay, scale_bar, signed_heat

VALUES = numpy.array([[4.0, 0.0], [-2.0, 2.0]], numpy.float32)
MAP = Map(VALUES, Stage("layer3", "Stage 3", (2, 2)), 0, "grad-cam")
NOTHING = Map(-abs(VALUES), MAP.stage, 0, "grad-cam")


def test_the_strongest_place_has_the_lightest_colour_and_no_transparency() -> None:
    picture = heat(MAP, (2, 2)).convert("RGBA")
    assert (
        [picture.getpixel((x, y)) for y in range(2) for x in range(2)]
        == [
            (*ImageColor.getrgb(HEAT[-1]), 255),
            (*ImageColor.getrgb(HEAT[0]), 0),
            (*ImageColor.getrgb(HEAT[0]), 0),  # what speaks against the class is not shown
            (*picture.getpixel((1, 1))[:3], 128),  # type: ignore[index]
        ]
    )


def test_a_signed_map_is_vermillion_for_and_blue_against() -> None:
    picture = signed_heat(MAP, (2, 2))
    assert picture.getpixel((0, 0)) == (0xD5, 0x5E, 0x00, 255)
    red, _, blue, alpha = picture.getpixel((0, 1))  # type: ignore[misc]
    assert blue > red
    assert alpha == 128
    assert picture.getpixel((1, 0))[3] == 0  # type: ignore[index]


def test_every_step_of_the_colours_is_lighter_than_the_one_before() -> None:
    # relative luminance (WCAG 2), so that the scale reads without any colour
    def luminance(colour: str) -> float:
        channels = [value / 255 for value in ImageColor.getrgb(colour)[:3]]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    steps = [luminance(colour) for _, colour in scale_bar()]
    assert steps == sorted(steps)
    assert (steps[-1] + 0.05) / (steps[0] + 0.05) > 15


def test_the_scale_bar_spans_what_the_map_shows() -> None:
    assert [scale_bar()[0], scale_bar()[-1]] == [(0.0, HEAT[0]), (1.0, HEAT[-1])]
    assert scale_bar(signed=True) == ((-1.0, "#0072b2"), (0.0, "#ffffff"), (1.0, "#d55e00"))


def test_the_opacity_mixes_picture_and_map() -> None:
    grey = Image.new("RGB", (2, 2), (100, 100, 100))
    assert overlay(grey, MAP, 0).tobytes() == grey.tobytes()
    light = numpy.array(ImageColor.getrgb(HEAT[-1]), float)
    for opacity in (0.5, 1.0):
        mixed = numpy.array(overlay(grey, MAP, opacity).getpixel((0, 0)), float)
        assert mixed == pytest.approx(100 + opacity * (light - 100), abs=1)
    assert overlay(grey, MAP, 1).getpixel((1, 0)) == (100, 100, 100)


def test_a_map_that_is_all_zero_leaves_the_picture_as_it_is() -> None:
    grey = Image.new("RGB", (5, 3), (100, 100, 100))
    assert NOTHING.is_zero
    assert overlay(grey, NOTHING, 1).tobytes() == grey.tobytes()


def test_enlarging_is_smooth_and_stays_within_the_scale() -> None:
    alpha = numpy.asarray(heat(MAP, (64, 64)).convert("RGBA").getchannel("A"), int)
    assert alpha.max() == 255
    assert abs(numpy.diff(alpha, axis=0)).max() < 16
    assert abs(numpy.diff(alpha, axis=1)).max() < 16
