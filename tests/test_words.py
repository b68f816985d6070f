from __future__ import annotations

import pytest

from resnet_demo.words import duration, duration_range, enumeration, percent, share


@pytest.mark.parametrize(("probability", "words"), [(1.0, ">99.9 %"), (0.9994, ">99.9 %"), (0.732, "73.2 %"), (0.0, "<0.1 %")])
def test_a_share_never_claims_to_be_all_or_nothing(probability: float, words: str) -> None:
    assert share(probability) == words


@pytest.mark.parametrize(
    ("fraction", "words"),
    [
        (0.0999, "9.99 %"),
        (0.099_999_6, "10 %"),
        (0.0, "under 0.01 %"),
        (0.00005, "under 0.01 %"),
        (0.0031, "0.31 %"),
        (0.123, "12 %"),
        (1.0, "100 %"),
    ],
)
def test_a_fraction_is_given_in_percent(fraction: float, words: str) -> None:
    assert percent(fraction) == words.replace(" %", "\N{NO-BREAK SPACE}%")


@pytest.mark.parametrize(
    ("shortest", "longest", "words"),
    [
        (50.0, 75.4, "50 to 75 seconds"),
        (50.0, 50.3, "50 seconds"),
        (90.0, 180.0, "90 seconds to 3 minutes"),
        (54_000.0, 80_000.0, "15 to 22 hours"),
        (0.6, 1.4, "1 second"),
    ],
)
def test_a_range_of_durations_names_its_unit_once_where_it_can(shortest: float, longest: float, words: str) -> None:
    assert duration_range(shortest, longest) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.6, "1 second"),
        (1, "1 second"),
        (1.5, "2 seconds"),
        (50.4, "50 seconds"),
        (119.6, "2 minutes"),
        (119, "119 seconds"),
        (180, "3 minutes"),
        (1_800, "30 minutes"),
        (144_000, "40 hours"),
    ],
)
def test_a_duration_is_given_in_the_largest_unit_of_which_there_are_two(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("names", "words"), [(["cat"], "cat"), (["cat", "dog"], "cat and dog"), (["cat", "dog", "deer"], "cat, dog and deer")]
)
def test_names_stand_in_a_sentence(names: list[str], words: str) -> None:
    assert enumeration(names) == words
