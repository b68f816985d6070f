"""Section 4.2's augmentation, pixel by pixel."""

from __future__ import annotations

import pytest
import torch

from resnet_demo.data.augment import PADDING, crops, normalize, pad, resize


def pictures(count: int = 5, side: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, side, side), generator=generator, dtype=torch.uint8)


def test_padding_with_the_mean_leaves_the_picture_and_surrounds_it_by_the_mean_colour() -> None:
    images = pictures()
    padded = pad(images, "mean")
    assert padded.shape == (5, 3, 16, 16)
    assert padded.dtype == torch.uint8
    assert torch.equal(padded[:, :, 4:-4, 4:-4], images)
    colour = images.float().mean((0, 2, 3)).round().to(torch.uint8)
    for edge in (padded[:, :, :4], padded[:, :, -4:], padded[:, :, :, :4], padded[:, :, :, -4:]):
        assert torch.equal(edge, colour.view(1, 3, 1, 1).expand_as(edge))


def test_padding_by_reflection_mirrors_the_pictures_own_edge() -> None:
    images = pictures()
    padded = pad(images, "reflect")
    assert torch.equal(padded[:, :, 4:-4, 4:-4], images)
    assert torch.equal(padded[:, :, 4:-4, :4], images[:, :, :, 1:5].flip(-1))
    assert torch.equal(padded[:, :, -4:, 4:-4], images[:, :, -5:-1].flip(-2))


def test_every_crop_is_a_window_of_its_own_picture_mirrored_or_not() -> None:
    images = pictures(40)
    padded = pad(images, "mean")  # a mirrored edge has windows that are their own mirror image
    chosen = torch.arange(40)
    found = crops(padded, chosen, 8, torch.Generator().manual_seed(1))
    places, mirrored = set(), 0
    for number, picture in enumerate(found):
        windows = {
            (top, left, flip): padded[number, :, top : top + 8, left : left + 8].flip(-1) if flip else
            padded[number, :, top : top + 8, left : left + 8]
            for top in range(9) for left in range(9) for flip in (False, True)
        }  # fmt: skip
        at = [place for place, window in windows.items() if torch.equal(window, picture)]
        assert len(at) == 1
        places.add(at[0][:2])
        mirrored += at[0][2]
    assert len(places) > 20  # of 81; fewer than 21 in 40 draws: odds below 1e-9
    assert 5 < mirrored < 35  # 5 or fewer of 40 coins: odds below 1e-6


def test_all_windows_are_drawn_equally_often() -> None:
    ramp = torch.arange(16, dtype=torch.uint8).view(1, 1, 1, 16).expand(1, 3, 16, 16).contiguous()
    chosen = torch.zeros(9_000, dtype=torch.int64)
    found = crops(ramp, chosen, 8, torch.Generator().manual_seed(2))
    left = torch.minimum(found[:, 0, 0, 0], found[:, 0, 0, -1])  # whichever way it is turned
    counts = torch.bincount(left.long(), minlength=9)
    assert len(counts) == 2 * PADDING + 1
    assert counts.min() > 850  # of 1,000 each: five standard deviations
    assert counts.max() < 1_150


def test_which_pictures_are_mirrored_can_be_said() -> None:
    images = pictures(4)
    mirrored = torch.tensor([True, False, True, False])
    found = crops(images, torch.arange(4), 8, torch.Generator().manual_seed(1), mirrored)
    assert torch.equal(found[[0, 2]], images[[0, 2]].flip(-1))
    assert torch.equal(found[[1, 3]], images[[1, 3]])


def test_resizing_to_half_the_side_keeps_the_mean_and_the_order_in_memory() -> None:
    images = normalize(pictures(3), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    half = resize(images, 4)
    assert half.shape == (3, 3, 4, 4)
    ramp = torch.arange(8.0).expand(1, 3, 8, 8)
    assert resize(ramp, 4)[0, 0, 0, 1:3].tolist() == pytest.approx([2.5, 4.5])  # the middle of 2 and 3, and of 4 and 5
    assert half.is_contiguous(memory_format=torch.channels_last)
    assert resize(images, 8) is images


def test_the_generator_alone_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    padded, chosen = pad(pictures(), "mean"), torch.arange(5)
    before = torch.get_rng_state()
    first, second, other = (crops(padded, chosen, 8, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_normalized_bytes_have_the_values_of_the_formula_and_lie_channels_last() -> None:
    images = torch.tensor([0, 255, 51], dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 4, 4)
    found = normalize(images, (0.5, 0.25, 0.2), (0.25, 0.5, 0.1))
    assert found[0, :, 0, 0].tolist() == pytest.approx([-2.0, 1.5, 0.0], abs=1e-6)
    assert found.dtype == torch.float32
    assert found.is_contiguous(memory_format=torch.channels_last)
