"""Models of the Hub, against timm's own code and a Hub on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save

from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import HubError, WeightsError
from resnet_demo.model.resnet import build
from resnet_demo.zoo import repository
from resnet_demo.zoo.folder import ModelFolder, write
from tests.loopback_hub import Fault, LoopbackHub

A1 = {"tag": "a1_in1k", "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4], "interpolation": "bicubic", "crop_pct": 0.95,
      "input_size": [3, 224, 224], "fixed_input_size": False, "license": "apache-2.0"}  # fmt: skip


def timm_config(architecture: str, **changes: Any) -> bytes:
    return json.dumps({"architecture": architecture, "num_classes": 1000, "pretrained_cfg": A1} | changes).encode()


@pytest.mark.parametrize("architecture", ["resnet18", "resnet50"])
def test_logits_equal_timm_s_to_the_last_bit(loopback: LoopbackHub, architecture: str) -> None:
    torch.manual_seed(1)
    theirs = timm.create_model(architecture).eval()
    for module in theirs.modules():  # running statistics other than 0 and 1, as trained weights have
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    loopback.add("timm/some.a1_in1k", "config.json", timm_config(architecture))
    loopback.add("timm/some.a1_in1k", "model.safetensors", save(theirs.state_dict()))
    ours = repository.load("timm/some.a1_in1k")
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(ours.model(x), theirs(x))
    assert ours.classes[:2] == ("tench", "goldfish")
    assert ours.preprocessing == Preprocessing(
        image_size=224, resize=235, interpolation="bicubic", mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4)
    )
    assert ours.card == {"test_accuracy": None, "trained_on": "ImageNet-1k", "licence": "apache-2.0"}


def test_the_accuracy_that_timm_publishes_travels_with_the_weights(loopback: LoopbackHub) -> None:
    loopback.add("timm/resnet18.tv_in1k", "config.json", timm_config("resnet18"))
    assert repository.describe("timm/resnet18.tv_in1k").test_accuracy == 0.6975


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            timm_config("vit_base_patch16_224"),
            r"user/name is a 'vit_base_patch16_224', a network that ResNet Lab does not have",
        ),
        (timm_config("resnet50d"), r"is a 'resnet50d', a network that ResNet Lab does not have: choose one of resnet18"),
        (timm_config("resnet50", model_args={"stem_type": "deep"}), r"changes the resnet50 by \['stem_type'\]"),
        (timm_config("resnet50", num_classes=0), r"does not describe a usable model: classes: .*at least 2 and at most"),
        (timm_config("resnet50", label_names=["a"]), r"names 1 classes for 1000 outputs"),
        (timm_config("resnet50", pretrained_cfg={"mean": [0.1]}), r"config.json of user/name cannot be understood"),
        (
            timm_config("resnet50", pretrained_cfg={"std": [0.2, 0.0, 0.2]}),
            r"does not describe a usable model: std\.1: should be greater than 0\.001 \(given: '0\.0'\)\.$",
        ),
        (
            timm_config("resnet50", num_classes=2, label_names=["a", "\x1b[2J"]),
            r"usable model: classes\.1: the name of a class",
        ),
        (json.dumps({"model_type": "bert"}).encode(), r"user/name is a 'bert' model: choose"),
        (b"{}", r"is neither timm's nor one that ResNet Lab published"),
        (b"[1]", r"is neither timm's nor one that ResNet Lab published"),
        (b"<html>", r"config.json of user/name is not JSON"),
        (json.dumps({"library": "resnet-lab"}).encode(), r"does not describe a model of this project: architecture"),
    ],
    ids=[
        "vit",
        "resnet50d",
        "model_args",
        "no classes",
        "label names",
        "mean",
        "std",
        "escapes",
        "bert",
        "empty",
        "list",
        "html",
        "ours",
    ],
)
def test_what_is_no_network_of_ours_is_refused_by_its_name(loopback: LoopbackHub, config: bytes, sentence: str) -> None:
    loopback.add("user/name", "config.json", config)
    with pytest.raises(WeightsError, match=sentence):
        repository.load("user/name")
    assert not [request for request in loopback.requests if "safetensors" in request]


def test_a_model_of_this_project_loads_as_from_its_folder(loopback: LoopbackHub, tmp_path: Path) -> None:
    config = ModelConfig.named("plain14", classes=3)
    content = ModelFolder(architecture=config, classes=("a", "b", "c"), preprocessing=Preprocessing(), test_accuracy=0.9)
    write(tmp_path / "mine", content, build(config, seed=5).state_dict(), "")
    for file in (tmp_path / "mine").iterdir():
        loopback.add("user/name", file.name, file.read_bytes())
    weights = repository.load("user/name")
    assert (weights.name, weights.classes, weights.model.config) == ("user/name", ("a", "b", "c"), config)
    expected = build(config, seed=5).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights.model.state_dict().items())
    assert repository.is_cached("user/name")


def test_weights_much_larger_than_the_network_are_not_downloaded(loopback: LoopbackHub) -> None:
    loopback.add("user/name", "config.json", timm_config("resnet18"))
    loopback.add("user/name", "model.safetensors", bytes(120_000_000))
    with pytest.raises(HubError, match=r"model.safetensors of user/name has 120.0 MB; what was asked for has at most 104"):
        repository.load("user/name")


def test_a_gated_model_names_what_to_do(loopback: LoopbackHub) -> None:
    loopback.add("user/name", "config.json", b"", Fault.GATED)
    with pytest.raises(HubError, match="user/name is gated: accept its terms"):
        repository.load("user/name")
    assert not repository.is_cached("user/name")
