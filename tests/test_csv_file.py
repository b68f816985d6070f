"""CSV files."""

from __future__ import annotations

from resnet_demo.csv_file import to_csv


def test_numbers_stay_numbers_and_no_text_is_a_formula() -> None:
    rows = [("=HYPERLINK(0)", -1.5), ("@a", ""), ("cat, dog", 3), ("a=b", None)]
    assert to_csv(("class", "value"), rows).decode().splitlines() == [
        "class,value", "'=HYPERLINK(0),-1.5", "'@a,", '"cat, dog",3', "a=b,",
    ]  # fmt: skip
