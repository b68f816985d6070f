"""The table of depths: the README's is what the code computes from the models that ship."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from resnet_demo.config import ModelConfig
from resnet_demo.paper.others import AKAMASTER, CHENYAOFO, PROJECTS
from resnet_demo.results import depths
from resnet_demo.results.depths import BEGIN, END, HEAD, NOT_YET, README, depth_table
from resnet_demo.results.shipped import ShippedModel, shipped_models
from resnet_demo.zoo.catalogue import SHIPPED


def cells(models: list[ShippedModel]) -> dict[str, dict[str, str]]:
    """By depth and column."""
    return {row[0]: dict(zip(HEAD, row, strict=True)) for row in depth_table(models).rows}


def test_the_readmes_table_is_the_one_of_the_models_that_ship() -> None:
    text = README.read_text(encoding="utf-8")
    _, _, rest = text.partition(BEGIN)
    table, end, _ = rest.partition(END)
    assert end, "the README has lost the comments around the table"
    assert table.strip() == depth_table(shipped_models()).markdown().strip(), "run python -m resnet_demo.results.depths"


def test_each_error_here_is_that_of_the_folder_and_every_other_depth_says_so() -> None:
    measured = {}
    for folder in SHIPPED.iterdir():
        content = json.loads((folder / "config.json").read_text())
        measured[ModelConfig(**content["architecture"])] = f"{100 * (1 - content['test_accuracy']):.2f}"
    table = cells(list(shipped_models()))
    for depth, row in table.items():
        for column, kind in (("here, residual", "resnet"), ("here, plain", "plain")):
            assert row[column] == measured.get(ModelConfig.named(f"{kind}{depth}"), NOT_YET)
    assert [*table] == ["20", "32", "44", "56", "110", "1202"]
    assert table["1202"]["here, residual"] == NOT_YET


def test_a_model_that_is_not_the_papers_network_stands_in_no_row() -> None:
    (model, *_) = (model for model in shipped_models() if model.config == ModelConfig.named("resnet20"))
    wide = replace(model, config=ModelConfig.named("resnet20", width=32), test_error=1.0)
    assert cells([wide])["20"]["here, residual"] == NOT_YET
    assert cells([model, replace(model, test_error=7.0)])["20"]["here, residual"] == f"{model.test_error:.2f}; 7.00"


def test_the_paper_and_other_projects_stand_beside_with_their_conventions() -> None:
    table = cells([])
    assert [row["paper, residual"] for row in table.values()] == [
        "8.75", "7.51", "7.17", "6.97", "6.43 (best of 5 runs); 6.61 (mean of 5 runs, ± 0.16)", "7.93",
    ]  # fmt: skip
    assert [row["akamaster, residual"] for row in table.values()] == ["8.27", "7.37", "6.90", "6.61", "6.32", "–"]
    assert [row["chenyaofo, residual"] for row in table.values()] == ["7.40", "6.47", "5.99", "5.63", "–", "–"]
    assert CHENYAOFO.errors == pytest.approx({20: 100 - 92.60, 32: 100 - 93.53, 44: 100 - 94.01, 56: 100 - 94.37})
    text = depth_table([]).markdown()
    assert all(f"{project.name} ({project.source}): {project.convention}." in text for project in PROJECTS)
    assert AKAMASTER.errors.keys() > CHENYAOFO.errors.keys()
    assert depths.DepthTable(())._repr_markdown_().startswith("| layers |")
