from __future__ import annotations

import pytest
import scipy.stats

from resnet_demo.evaluation.pairs import Pair, pair, sentence


def test_the_pictures_are_counted_by_hand() -> None:
    assert pair([1, 1, 0, 0, 1], [1, 0, 1, 0, 1]) == Pair(both=2, first_only=1, second_only=1, neither=1)


@pytest.mark.parametrize(("first", "second"), [(42, 33), (0, 5), (1, 1), (300, 210), (3, 0), (2000, 1500)])
def test_the_test_is_scipy_s_exact_binomial_test(first: int, second: int) -> None:
    expected = scipy.stats.binomtest(first, first + second).pvalue
    assert Pair(500, first, second, 20).p_value == pytest.approx(expected, rel=1e-9)
    assert Pair(500, second, first, 20).p_value == pytest.approx(expected, rel=1e-9)


def test_mcnemars_exact_test_is_a_fair_coins() -> None:
    def mcnemar(first: int, second: int) -> float:
        return Pair(500, first, second, 20).p_value

    assert mcnemar(0, 0) == 1
    assert mcnemar(0, 5) == mcnemar(5, 0) == 2 / 32
    assert mcnemar(3, 3) == 1
    assert mcnemar(2, 10) == pytest.approx(2 * (1 + 12 + 66) / 4096)
    assert 0 < mcnemar(4000, 4400) < 1e-4  # as many pictures as CIFAR-10's test set may divide


def test_the_sentence_says_which_is_better_only_where_the_test_does() -> None:
    clear = sentence(Pair(800, 80, 30, 90), "A", "B")
    assert "A on 80, B on 30" in clear and clear.endswith("A is better on such pictures.")
    assert sentence(Pair(800, 30, 80, 90), "A", "B").endswith("B is better on such pictures.")
    open_question = sentence(Pair(885, 42, 33, 40), "A", "B")
    assert "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.36" in open_question
    assert open_question.endswith("these pictures do not show which is better.")
    assert "the same pictures" in sentence(Pair(9, 0, 0, 1), "A", "B")
