from __future__ import annotations

import numpy
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import SettingError
from resnet_demo.parsing import parse

IMAGENET = Preprocessing(image_size=224, resize=256)


def noise(width: int, height: int) -> Image.Image:
    pixels = numpy.random.default_rng(0).integers(0, 256, (height, width, 3), numpy.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("size", [(640, 480), (333, 500), (256, 256), (100, 37), (224, 300), (4000, 257)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_the_crop_is_torchvisions_resize_and_centre_crop(size: tuple[int, int], interpolation: str) -> None:
    picture = noise(*size)
    preprocessing = parse(Preprocessing, {"image_size": 224, "resize": 256, "interpolation": interpolation})
    reference = v2.Compose([v2.Resize(256, v2.InterpolationMode(interpolation)), v2.CenterCrop(224)])(picture)
    difference = numpy.abs(numpy.asarray(preprocessing.crop(picture), int) - numpy.asarray(reference, int))
    assert difference.max() <= 2  # Pillow rounds to bytes after each of its two passes
    assert difference.mean() < 0.02


def test_the_input_is_torchvisions_to_the_last_digits() -> None:
    picture = noise(224, 224)
    reference = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(IMAGENET.mean, IMAGENET.std)])(
        picture
    )
    found = IMAGENET.tensor(picture)
    assert found.shape == (1, 3, 224, 224)
    torch.testing.assert_close(found[0].contiguous(), reference, rtol=0, atol=2e-6)


def test_a_picture_of_the_networks_own_size_is_seen_unchanged() -> None:
    picture = noise(32, 32)
    assert Preprocessing().crop(picture).tobytes() == picture.tobytes()


def test_the_box_is_the_part_of_the_picture_that_is_seen() -> None:
    assert Preprocessing(image_size=32, resize=32).box((64, 64)) == (0, 0, 64, 64)
    assert Preprocessing(image_size=32, resize=32).box((128, 64)) == (32, 0, 96, 64)
    assert IMAGENET.box((512, 512)) == (32, 32, 480, 480)


@pytest.mark.parametrize("size", [(1, 1), (1, 2_000_000), (2_000_000, 1)])
def test_the_narrowest_picture_costs_no_more_than_its_square(size: tuple[int, int]) -> None:
    # resized whole, a strip of 1 × 2,000,000 would have 131 thousand million pixels
    crop = IMAGENET.crop(Image.new("RGB", size, (9, 8, 7)))
    assert crop.size == (224, 224)
    assert crop.getcolors() == [(224 * 224, (9, 8, 7))]


def test_a_square_larger_than_the_resized_picture_is_refused() -> None:
    with pytest.raises(SettingError, match="image_size 224 does not fit into a picture resized to 200"):
        parse(Preprocessing, {"image_size": 224, "resize": 200})
