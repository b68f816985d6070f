from __future__ import annotations

from resnet_demo.data.dataset import CIFAR10_CLASSES
from resnet_demo.inference import confidence

THOUSAND = tuple(f"class {number}, also called {number}" for number in range(1000))


def test_a_spread_answer_is_called_unsure_and_the_classes_are_told() -> None:
    said = confidence.words(0.6994, 0.31, CIFAR10_CLASSES)
    assert said.startswith(
        "It is unsure: the best class has only 69.9 %, so perhaps none of its classes fits. This model knows"
    )
    assert "10 classes, airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck" in said


def test_of_any_other_answer_only_the_classes_are_told() -> None:
    assert confidence.words(0.6994, 0.3, CIFAR10_CLASSES) == confidence.knows(CIFAR10_CLASSES)
    assert confidence.unsure(0.6994, 0.3, 10) == ""


def test_of_a_thousand_classes_the_number_and_three_short_names_are_told() -> None:
    assert "knows 1,000 classes, such as class 0, class 1, class 2," in confidence.knows(THOUSAND)


def test_of_few_classes_a_clear_answer_is_not_called_unsure() -> None:
    """Of two classes, 94.1 % for one has an entropy of 0.32 of the largest."""
    assert confidence.unsure(0.941, 0.324, 2) == ""
    assert confidence.unsure(0.7, 0.88, 2) == ""
    assert confidence.unsure(0.6, 0.97, 2).startswith("It is unsure: the best class has only 60.0 %")
    assert confidence.unsure(0.7, 0.31, 9) == ""
    assert confidence.unsure(0.7, 0.31, 10) != "" != confidence.unsure(0.95, 0.31, 1000)
