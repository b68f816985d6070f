from __future__ import annotations

import numpy
import pytest

from resnet_demo.evaluation.calibration import Bin, expected_calibration_error, reliability


def test_a_diagram_of_two_bins_counted_by_hand() -> None:
    """Below one half: 0.2 and 0.4, one right. Above: 0.6, 0.9 and 1.0, two right; a border belongs to the lower bin."""
    bins = reliability([0.2, 0.4, 0.6, 0.9, 1.0], [True, False, True, False, True], bins=2)
    assert [part.images for part in bins] == [2, 3]
    assert [part.confidence for part in bins] == pytest.approx([0.3, 2.5 / 3])
    assert [part.accuracy for part in bins] == pytest.approx([0.5, 2 / 3])
    assert expected_calibration_error(bins) == pytest.approx((2 * 0.2 + 3 * (2.5 / 3 - 2 / 3)) / 5)
    assert [part.images for part in reliability([0.5], [True], bins=2)] == [1, 0]


def test_an_empty_bin_counts_nothing() -> None:
    assert reliability([0.9], [True], bins=2)[0] == Bin(0.0, 0.5, 0, 0.0, 0.0)


def test_a_network_that_is_as_sure_as_it_is_right_has_almost_no_error() -> None:
    generator = numpy.random.default_rng(0)
    confidence = generator.uniform(0.1, 1, 200_000)
    assert expected_calibration_error(reliability(confidence, generator.uniform(size=200_000) < confidence)) < 0.005
