from __future__ import annotations

import pytest
import scipy.stats
import sklearn.metrics
import torch

from resnet_demo.evaluation.metrics import scores, wilson


def test_a_small_case_counted_by_hand() -> None:
    """Class 0: 2 of 3 found, 2 of 3 answers right. Class 1: 1 of 2 found, 1 of 3 answers right. Class 2: never answered."""
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    answers = torch.tensor([0, 0, 1, 1, 0, 1])
    found = scores(answers, labels, 3)
    assert found.confusion == ((2, 1, 0), (1, 1, 0), (0, 1, 0))
    assert found.images == 6
    assert found.accuracy == pytest.approx(3 / 6)
    assert found.precision == pytest.approx((2 / 3 + 1 / 3 + 0) / 3)
    assert found.recall == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert found.f1 == pytest.approx((2 / 3 + 2 / 5 + 0) / 3)


def test_all_right_is_one_everywhere() -> None:
    found = scores(torch.arange(4), torch.arange(4), 4)
    assert (found.accuracy, found.precision, found.recall, found.f1) == (1, 1, 1, 1)


def test_a_class_without_pictures_counts_as_zero() -> None:
    found = scores(torch.tensor([0, 0]), torch.tensor([0, 0]), 2)
    assert (found.accuracy, found.precision, found.recall, found.f1) == (1, 0.5, 0.5, 0.5)


def test_the_figures_are_scikit_learn_s() -> None:
    generator = torch.Generator().manual_seed(0)
    labels, answers = torch.randint(12, (2, 500), generator=generator)
    labels[labels == 11] = 3  # a class without pictures
    found = scores(answers, labels, 12)
    expected = sklearn.metrics.precision_recall_fscore_support(
        labels, answers, labels=range(12), average="macro", zero_division=0
    )
    assert (found.precision, found.recall, found.f1) == pytest.approx(expected[:3])
    assert found.accuracy == pytest.approx(sklearn.metrics.accuracy_score(labels, answers))
    assert found.confusion == tuple(map(tuple, sklearn.metrics.confusion_matrix(labels, answers, labels=range(12)).tolist()))


def test_no_pictures_have_no_scores() -> None:
    with pytest.raises(ValueError, match="no pictures"):
        scores(torch.tensor([], dtype=torch.int64), torch.tensor([], dtype=torch.int64), 3)


def test_the_scores_of_each_class_are_scikit_learn_s_and_averages_may_leave_out_classes_without_pictures() -> None:
    generator = torch.Generator().manual_seed(1)
    labels, answers = torch.randint(6, (2, 300), generator=generator)
    labels[labels == 5] = 0
    computed = scores(answers, labels, 6, averaged=range(5))
    by_class = sklearn.metrics.precision_recall_fscore_support(labels, answers, labels=range(6), zero_division=0)
    assert [row.images for row in computed.per_class] == by_class[3].tolist()
    for name, expected in zip(("precision", "recall", "f1"), by_class[:3], strict=True):
        assert [getattr(row, name) for row in computed.per_class] == pytest.approx(expected.tolist())
        assert getattr(computed, name) == pytest.approx(expected[:5].mean())


@pytest.mark.parametrize(("right", "total"), [(927, 1000), (0, 7), (7, 7), (1, 2)])
def test_the_interval_is_scipy_s_wilson_interval(right: int, total: int) -> None:
    expected = scipy.stats.binomtest(right, total).proportion_ci(0.95, "wilson")
    assert wilson(right, total) == pytest.approx((expected.low, expected.high), abs=1e-7)


def test_wilsons_interval_as_in_a_table() -> None:
    """Brown, Cai, DasGupta 2001: an interval even where every answer is right."""
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
