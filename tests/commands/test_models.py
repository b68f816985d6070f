from __future__ import annotations

import json

import pytest

from resnet_demo.__main__ import main
from resnet_demo.config import ARCHITECTURES


def test_json_lists_every_architecture_with_its_cost_and_the_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    architectures = {entry["name"]: entry for entry in told["architectures"]}
    assert tuple(architectures) == ARCHITECTURES
    assert architectures["resnet20"] == {"name": "resnet20", "parameters": 269_722, "multiply_adds": 40_551_040}
    assert architectures["plain20"]["parameters"] == 269_722
    weights = {entry["name"]: entry for entry in told["weights"]}
    assert weights["timm/resnet50.tv_in1k"]["architecture"] == "resnet50"
    assert weights["timm/resnet50.tv_in1k"]["test_accuracy"] == 0.7616


def test_people_get_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["architecture", "parameters", "multiply-adds"]
    assert next(line for line in lines if line.startswith("resnet1202")).split()[1:] == ["19,421,274", "2,829,238,912"]
    assert any(line.startswith("timm/resnet18.a1_in1k") and "71.50%" in line for line in lines)
