"""The lists of networks: what must be downloaded is marked with its size, without asking a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import constants
from safetensors.torch import save

from resnet_demo.config import ModelConfig
from resnet_demo.hub import fetch
from resnet_demo.inference.networks import choices
from resnet_demo.model.resnet import build
from resnet_demo.zoo.catalogue import run_model
from tests.loopback_hub import LoopbackHub

NAME = "timm/resnet18.tv_in1k"
TITLE = "ResNet-18 (ImageNet, torchvision's weights)"


def title(name: str) -> str:
    return {name: title for title, name in choices()}[name]


def test_a_network_of_the_hub_has_its_size_until_it_is_on_this_machine(loopback: LoopbackHub) -> None:
    assert title(NAME) == f"{TITLE}: 47 MB to download"
    assert title("timm/resnet152.a1_in1k").endswith(": 241 MB to download")
    assert loopback.requests == []
    loopback.add(NAME, "config.json", json.dumps({"architecture": "resnet18", "num_classes": 10}).encode())
    loopback.add(NAME, "model.safetensors", save(build(ModelConfig.named("resnet18", classes=10)).state_dict()))
    fetch.fetch_file(NAME, "config.json")
    assert title(NAME) == f"{TITLE}: 47 MB to download"  # a part of it is not enough
    fetch.fetch_file(NAME, "model.safetensors")
    assert title(NAME) == TITLE


def test_offline_the_same_networks_are_marked_as_not_to_be_had(loopback: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert title(NAME) == f"{TITLE}: not here, 47 MB"
    assert title("resnet20-cifar10") == "ResNet-20 (CIFAR-10)"


def test_the_network_of_a_run_is_in_the_list_where_a_link_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_DEMO_HOME", str(tmp_path))
    (tmp_path / "runs" / "20260131-235959-3f9c01" / "arms" / "transfer").mkdir(parents=True)
    (tmp_path / "runs" / "20260131-235959-3f9c01" / "arms" / "transfer" / "config.json").write_text("{}")
    here, gone = run_model("20260131-235959-3f9c01", "transfer"), run_model("20260131-235959-000000", "transfer")
    assert choices(here, here, gone, "../x", "") == [*choices(), ("The transferred network", here)]
