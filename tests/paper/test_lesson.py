"""What a lesson says the class will see has its evidence, as the statements about the paper have."""

from __future__ import annotations

import pytest

from resnet_demo.paper.lesson import LESSONS, STEPS, Step
from tests.paper.test_statements import evidence_numbers, numbers


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_each_number_that_the_class_will_see_is_in_the_evidence(step: Step) -> None:
    known = {number for evidence in step.observed.evidence for number in evidence_numbers(evidence)}
    assert step.observed.evidence and numbers(step.observed.text) <= known
    assert step.question.endswith("?") and len(step.observed.links) == 1


def test_a_lesson_ends_in_its_time() -> None:
    for minutes, steps in LESSONS.items():
        assert 0.8 * minutes < sum(step.minutes for step in steps) <= minutes
    assert LESSONS[60] == STEPS and all(step in STEPS for step in LESSONS[20])
