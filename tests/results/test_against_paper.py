"""The paper's numbers stand beside what was measured or counted here, and what is missing is said."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from resnet_demo.config import ModelConfig
from resnet_demo.paper.tables import RELEASED, TABLES
from resnet_demo.results.against_paper import (
    NOT_HERE,
    NOT_PRINTED,
    comparisons,
    figure_6,
    figure_7,
    sentences_on_figure_6,
    sentences_on_figure_7,
)
from resnet_demo.results.shipped import Curves, ShippedModel, shipped_models

CURVES = Curves(training=((5, 50.0), (10, 40.0)), test=((5, 55.0), (10, 45.0)), steps_per_epoch=5, full_size_from=0)


def model(name: str, error: float, responses: tuple[float, ...] = (), drawn: Curves | None = CURVES) -> ShippedModel:
    return ShippedModel(f"{name}-cifar10", ModelConfig.named(name), error, "10 iterations, not 64,000", drawn, responses)


def lines(models: list[ShippedModel]) -> dict[str, dict[str, list[tuple[str, str, str]]]]:
    """By table and network: the three columns."""
    tables: dict[str, dict[str, list[tuple[str, str, str]]]] = {}
    for table in comparisons(models):
        for line in table.lines:
            tables.setdefault(table.source.rpartition(", ")[2], {}).setdefault(line.network, []).append(
                (line.paper, line.here, line.differs)
            )
    return tables


def test_every_number_of_the_papers_column_is_one_of_the_tables_and_none_is_missing() -> None:
    for table, comparison in zip((*TABLES[:4], RELEASED, *TABLES[4:]), comparisons([]), strict=True):
        assert comparison.source == table.source
        assert len(comparison.lines) == len(table.rows)
        for row, line in zip(table.rows, comparison.lines, strict=True):
            printed = [float(number) for number in re.findall(r"\d+\.\d+", line.paper.partition(" (")[0])]
            assert printed == [value for value in row.values if value is not None], line


def test_numbers_have_the_digits_that_are_printed() -> None:
    tables = lines([])
    assert tables["Table 6"]["Highway, 32 layers"][0][0] == "1.25 / 8.80"
    assert tables["Table 4"]["VGG (v5)"][0][0] == "24.4 / 7.1"
    assert tables["Table 8"]["ResNet-101"][0][0] == "48.4 / 27.2"


def test_what_was_not_measured_is_said_and_what_was_counted_too() -> None:
    tables = lines([])
    assert {line[1] for table in ("Table 2", "Table 3", "Table 4", "Table 5", "Table 7", "Table 8") for network in
            tables[table].values() for line in network} == {NOT_HERE}  # fmt: skip
    assert tables["Table 1"]["ResNet-50"] == [
        ("3.8", "3.86 (counted)", "4.09 with the stride in the 3×3 layer, torchvision's ('v1.5')")
    ]
    assert tables["Table 6"]["ResNet-56"] == [("0.85 / 6.97", f"0.85 (counted) / {NOT_HERE}", "")]


def test_a_model_appears_in_its_line_with_what_differs() -> None:
    table = lines([model("resnet56", 6.5), model("plain56", 9.0), model("resnet14", 11.0)])["Table 6"]
    assert table["ResNet-56"] == [
        ("0.85 / 6.97", "0.85 (counted) / 6.50", "resnet56-cifar10: one run; 10 iterations, not 64,000.")
    ]
    assert table["plain-56"][0][:2] == (NOT_PRINTED, "0.85 (counted) / 9.00")
    assert table["ResNet-14"][0][0] == "not in the paper"


def test_the_figures_draw_what_was_recorded() -> None:
    drawn = figure_6([model("plain20", 9.0), model("resnet20", 8.0), model("resnet32", 7.0, drawn=None)])
    plain, residual = drawn["panels"]
    assert [(series["name"], series["thin"], series["points"]) for series in plain["series"]] == [
        ("plain-20, training", True, CURVES.training),
        ("plain-20, test", False, CURVES.test),
    ]
    assert [series["name"] for series in residual["series"]] == ["residual-20, training", "residual-20, test"]
    ordered, ranked = figure_7([model("plain20", 9.0, (1.0, 3.0, 2.0)), model("resnet20", 8.0)])["panels"]
    assert [series["points"] for series in ordered["series"]] == [((1, 1.0), (2, 3.0), (3, 2.0))]
    assert [series["points"] for series in ranked["series"]] == [((1, 3.0), (2, 2.0), (3, 1.0))]


def test_the_sentences_are_computed_and_name_what_is_missing() -> None:
    models = [
        model("plain20", 9.0, (2.0, 2.0)), model("plain56", 12.0), model("resnet20", 8.0, (1.0, 2.5)),
        model("resnet56", 7.0, drawn=None),
    ]  # fmt: skip
    text = " ".join(sentences_on_figure_6(models))
    assert "At 20 layers the plain network ends at 9.00 % of the test images wrong, the residual one at 8.00 %." in text
    assert "From 20 to 56 layers the plain error rises from 9.00 to 12.00 %." in text
    assert "From 20 to 56 layers the residual error falls from 8.00 to 7.00 %." in text
    assert "Of resnet56-cifar10 no record with measurements ships, so nothing is drawn." in text
    assert "Of the paper's depths, no record ships of 32, 44 and 110 layers." in text
    text = " ".join(sentences_on_figure_7(models))
    assert "the mean is 1.75 in the residual network and 2.00 in the plain one; 1 of 2 layers respond less" in text
    assert "Not computed yet for plain56-cifar10 and resnet56-cifar10" in text


def test_networks_that_were_trained_differently_are_not_compared() -> None:
    other = Curves(CURVES.training, CURVES.test, 5, full_size_from=8)
    deep = replace(model("resnet56", 7.0, (1.0, 1.0), other), differences="12 iterations, not 64,000")
    text = " ".join(sentences_on_figure_6([model("plain56", 12.0), model("resnet20", 8.0), deep]))
    assert "The errors of residual-20 do not compare with those of residual-56, which were trained differently." in text
    assert "At 56 layers" not in text and "From 20" not in text
    assert "residual-56 trained on smaller pictures first, at full size from step 8 on." in text
    text = " ".join(sentences_on_figure_7([model("resnet20", 8.0, (2.0, 2.0)), deep]))
    assert "that of residual-56" not in text
    middle = replace(deep, name="resnet32-cifar10", config=ModelConfig.named("resnet32"), test_error=9.0, responses=(1.5, 1.5))
    text = " ".join(sentences_on_figure_6([model("resnet20", 8.0), deep, middle]))
    assert "From 32 to 56 layers the residual error falls from 9.00 to 7.00 %." in text
    assert "The errors of residual-20 do not compare with those of residual-32 and residual-56, which were" in text
    text = " ".join(sentences_on_figure_7([model("resnet20", 8.0, (2.0, 2.0)), deep, middle]))
    assert "The mean of residual-32 is 1.50, that of residual-56, trained alike, 1.00." in text


@pytest.mark.parametrize("name", ["plain20-cifar10", "resnet20-cifar10"])
def test_the_models_that_ship_are_drawn(name: str) -> None:
    (shipped,) = (model for model in shipped_models() if model.name == name)
    assert shipped.curves is not None
    assert len(shipped.responses) == 19
