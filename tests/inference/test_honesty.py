from __future__ import annotations

import math

import pytest

from resnet_demo.data.dataset import CIFAR10_CLASSES
from resnet_demo.inference import honesty

THOUSAND = tuple(f"class {number}, also called {number}" for number in range(1000))


def test_an_answer_below_a_half_or_spread_over_many_classes_is_called_unsure_with_the_models_classes() -> None:
    said = honesty.unsure(0.42, 0.3, CIFAR10_CLASSES)
    assert said.startswith("None of the classes fits well: the best has only 42")
    assert "10 classes, airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck" in said
    assert honesty.sentence("frog", 0.42, 0.3, CIFAR10_CLASSES) == said
    assert honesty.unsure(0.55, 0.6, CIFAR10_CLASSES)
    assert honesty.unsure(0.55, 0.4, CIFAR10_CLASSES) == ""


def test_of_a_thousand_classes_the_number_and_three_short_names_are_told() -> None:
    assert "knows 1,000 classes, such as class 0, class 1, class 2," in honesty.knows(THOUSAND)


@pytest.mark.parametrize(
    ("probability", "words"), [(0.95, "clearly answers 'cat', with 95.0 %"), (0.7, "leans to 'cat', with 70.0 %")]
)
def test_a_sure_answer_says_how_sure(probability: float, words: str) -> None:
    assert words in honesty.sentence("cat", probability, 0.1, CIFAR10_CLASSES)


def test_the_threshold_of_the_entropy_is_the_square_root_of_the_classes() -> None:
    spread = math.log(math.sqrt(10)) / math.log(10)  # an even spread over √10 of 10 classes
    assert spread == pytest.approx(honesty.UNSURE_ENTROPY)


@pytest.mark.parametrize(("probability", "words"), [(1.0, ">99.9 %"), (0.9994, ">99.9 %"), (0.732, "73.2 %"), (0.0, "<0.1 %")])
def test_a_share_never_claims_to_be_all_or_nothing(probability: float, words: str) -> None:
    assert honesty.share(probability) == words
