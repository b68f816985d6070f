"""Features come from the cache equal to the last bit, are computed again where it is damaged, and keep to its budget."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

from resnet_demo.data.augment import normalize
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.transfer import features, networks
from resnet_demo.transfer.features import FeatureCache, FeaturePass
from resnet_demo.transfer.pictures import Pictures
from resnet_demo.zoo import folder

SIDE = Preprocessing(image_size=16, resize=16)


def pictures(count: int, first: int = 0) -> Pictures:
    """Pictures of noise, each by its number."""

    def picture(number: int) -> Image.Image:
        pixels = numpy.random.default_rng(number + first).integers(0, 256, (16, 16, 3), dtype=numpy.uint8)
        return Image.fromarray(pixels)

    return Pictures([0] * count, [str(number + first).encode() for number in range(count)], picture, SIDE)


@pytest.fixture
def forward(base: Path, tmp_path: Path) -> FeaturePass:
    model = folder.load(base).model
    return FeaturePass(model, networks.digest(model), "fp32", nullcontext, FeatureCache(tmp_path / "features"))


def fill(forward: FeaturePass, given: Pictures, view: int | None = None) -> tuple[torch.Tensor, int]:
    """The features, and how many pictures' came from the cache."""
    target = torch.full((len(given), forward.channels), torch.nan)
    counts = list(forward.fill(target, given, view))
    assert sum(count for count, _ in counts) == len(given)
    return target, sum(cached for _, cached in counts)


def test_cached_features_equal_those_of_a_forward_pass_to_the_last_bit(forward: FeaturePass) -> None:
    given = pictures(150)  # more than a chunk, and a smaller last batch
    first, cached = fill(forward, given)
    assert cached == 0
    again, cached = fill(forward, given)
    assert cached == 150
    assert torch.equal(first, again)
    with torch.no_grad():
        batch = normalize(given.crops(range(32, 64)), SIDE.mean, SIDE.std)
        assert torch.equal(first[32:64], networks.features(forward.base, batch))


def test_the_cache_knows_weights_pictures_preprocessing_format_and_view(forward: FeaturePass) -> None:
    given = pictures(4)
    plain, _ = fill(forward, given)
    others = [
        (replace(forward, weights="other"), given, None), (replace(forward, precision="bf16"), given, None),
        (forward, pictures(4, first=9), None), (forward, given, 0), (forward, given, 1),
        (forward, Pictures([0] * 4, given.digests, given._picture, SIDE.model_copy(update={"mean": (0.0, 0.0, 0.0)})), None),
    ]  # fmt: skip
    values = [fill(*other) for other in others]
    assert [cached for _, cached in values] == [0] * len(others)
    views = [values[3][0], values[4][0], plain]
    assert not any(torch.equal(views[left], views[right]) for left, right in ((0, 1), (0, 2), (1, 2)))
    assert torch.equal(fill(forward, given, 0)[0], values[3][0])


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content[:-1] + bytes([content[-1] ^ 1])])
def test_damaged_features_are_computed_again(forward: FeaturePass, damage: object) -> None:
    first, _ = fill(forward, pictures(3))
    (path,) = forward.cache.folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    again, cached = fill(forward, pictures(3))
    assert cached == 0
    assert torch.equal(first, again)
    assert fill(forward, pictures(3))[1] == 3


def test_the_oldest_features_go_when_the_budget_is_used_up(tmp_path: Path) -> None:
    size = features.DIGEST + 4 * 10
    cache = FeatureCache(tmp_path, budget=2 * size)
    for key in ("a", "b"):
        cache.put(key, torch.zeros(1, 10))
        os.utime(tmp_path / key, (1, 1))  # long ago: the clock of files may tick only every few milliseconds
    assert cache.get("a", (1, 10)) is not None  # used after b
    cache.put("c", torch.zeros(1, 10))
    assert {path.name for path in tmp_path.iterdir()} == {"a", "c"}


def test_a_transfer_does_without_the_cache_where_its_folder_cannot_be_written(forward: FeaturePass, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    unwritable = replace(forward, cache=FeatureCache(tmp_path / "file" / "features"))
    first, _ = fill(unwritable, pictures(3))
    assert torch.equal(first, fill(forward, pictures(3))[0])
