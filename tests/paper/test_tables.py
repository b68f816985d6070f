"""The paper's numbers stand as printed, and are found by network."""

from __future__ import annotations

import pytest

from resnet_demo.config import ModelConfig
from resnet_demo.model.cost import cost
from resnet_demo.paper import tables
from resnet_demo.paper.tables import TABLES, published


def test_a_line_has_a_value_for_each_metric_and_each_number_a_condition() -> None:
    for table in (*TABLES, tables.RELEASED):
        assert table.conditions and table.source
        for row in table.rows:
            assert len(row.values) == len(table.metrics), (table.source, row.method)
            assert any(value is not None for value in row.values)
    assert [table.source for table in TABLES] == [f"arXiv 1512.03385, Table {number}" for number in range(1, 9)]


def test_the_costs_of_tables_1_and_6_are_those_of_the_networks_built_here() -> None:
    for row in tables.TABLE_1.rows:
        assert row.config is not None
        assert cost(row.config).multiply_adds / 1e9 == pytest.approx(row.values[0], abs=0.06), row.method
    for row in tables.TABLE_6.rows:
        if row.config is not None:
            assert cost(row.config).parameters / 1e6 == pytest.approx(row.values[0], abs=0.05), row.method


def test_a_number_is_found_by_its_network() -> None:
    (only,) = published(ModelConfig.named("resnet56"))
    assert (only.source, only.value, only.metric) == ("arXiv 1512.03385, Table 6", 6.97, "test error, %")
    assert [p.value for p in published(ModelConfig.named("resnet110"))] == [6.43, 6.61]
    assert [p.conditions.rpartition("; ")[2] for p in published(ModelConfig.named("resnet110"))] == [
        tables.BEST_OF_FIVE,
        tables.MEAN_OF_FIVE,
    ]
    assert [p.value for p in published(ModelConfig.named("plain34"))] == [28.54, 28.54, 10.02]


def test_one_crop_comes_first_and_another_stride_is_named() -> None:
    numbers = published(ModelConfig.named("resnet50"))  # torchvision's: strides in the 3×3
    assert [p.value for p in numbers] == [24.7, 7.8, 22.85, 6.71, 20.74, 5.25]
    assert all("first 1×1 layer" in p.conditions for p in numbers)
    assert not any("stride" in p.conditions for p in published(ModelConfig.named("resnet50", stride_in="1x1")))


def test_other_shortcuts_are_named() -> None:
    (number,) = published(ModelConfig.named("resnet18"))
    assert number.value == 27.88
    assert number.conditions.endswith("option A, not B")
    assert [p.value for p in published(ModelConfig.named("resnet34"))] == [24.52, 7.46, 21.84, 5.71]


@pytest.mark.parametrize("name", ["plain20", "plain32", "plain44", "plain56", "plain110"])
def test_the_paper_prints_no_number_of_a_plain_cifar_network(name: str) -> None:
    assert published(ModelConfig.named(name)) == ()


def test_a_network_that_is_not_the_papers_has_no_published_number() -> None:
    assert published(ModelConfig.named("resnet20", width=32)) == ()
    assert published(ModelConfig.named("resnet20", classes=3)) == ()
    assert published(ModelConfig.named("resnet20", batch_norm=False)) == ()
    assert published(ModelConfig.named("resnet14")) == ()
