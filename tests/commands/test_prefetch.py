from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import save

from resnet_demo.__main__ import main
from resnet_demo.config import ModelConfig
from resnet_demo.hub import fetch
from resnet_demo.model.resnet import build
from tests.loopback_hub import LoopbackHub


def test_a_model_and_the_data_are_in_the_cache_afterwards(loopback: LoopbackHub, capsys: pytest.CaptureFixture[str]) -> None:
    loopback.add("timm/some", "config.json", json.dumps({"architecture": "resnet18", "num_classes": 10}).encode())
    weights = build(ModelConfig.named("resnet18", classes=10)).state_dict()
    loopback.add("timm/some", "model.safetensors", save(weights))
    for part in ("train", "test"):
        loopback.add("datasets/uoft-cs/cifar10", f"plain_text/{part}-00000-of-00001.parquet", part.encode())
    assert main(["prefetch", "--model", "timm/some", "--data", "cifar10"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "timm/some is in the cache." in captured.err
    for part in ("train", "test"):
        found = fetch.cached_file("uoft-cs/cifar10", f"plain_text/{part}-00000-of-00001.parquet", "dataset")
        assert isinstance(found, Path)
        assert found.read_text() == part


@pytest.mark.parametrize(
    ("arguments", "sentence"), [([], "say what to download"), (["--model", "resnet20"], "'resnet20' is no Hub id")]
)
def test_nothing_to_download_is_told(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prefetch", *arguments]) == 2
    assert sentence in capsys.readouterr().err
