"""The course exercise with a base from the Hub: a full-size ResNet-50, with random weights, on a small part of CIFAR-10."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save

from resnet_demo.config import ModelConfig
from resnet_demo.model.resnet import build
from resnet_demo.training import session
from resnet_demo.training.events import FeaturesComputed, Fetching, PhaseStarted, RunFinished, TransferMeasured
from resnet_demo.transfer.preparation import preparation_of
from resnet_demo.transfer.settings import TRANSFER_PRESETS, transfer_run
from resnet_demo.zoo import folder
from tests.loopback_hub import LoopbackHub

NAME = "timm/resnet50.tv_in1k"


def test_the_exercise_with_a_resnet_50_from_the_hub(loopback: LoopbackHub, tmp_path: Path) -> None:
    base = build(ModelConfig.named("resnet50"), 1)
    config = {
        "architecture": "resnet50", "num_classes": 1000,
        "pretrained_cfg": {
            "tag": "tv_in1k", "input_size": [3, 224, 224], "interpolation": "bilinear", "crop_pct": 0.875,
            "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
        },
    }  # fmt: skip
    loopback.add(NAME, "config.json", json.dumps(config).encode())
    loopback.add(NAME, "model.safetensors", save(dict(base.state_dict())))
    exercise = TRANSFER_PRESETS["The course exercise"].settings
    small = {"data": "bundled", "train_limit": 30, "test_limit": 10, "image_size": 64, "batch": 9, "precision": "fp32"}
    run = transfer_run(exercise.model_copy(update=small))
    events = list(session.run(run, tmp_path / "run", prepare=preparation_of(run)))
    assert isinstance(events[-1], RunFinished)
    assert {event.what for event in events if isinstance(event, Fetching)} == {NAME}
    assert [(event.name, event.last) for event in events if isinstance(event, PhaseStarted)] == [("head", 10)]
    passes = [event for event in events if isinstance(event, FeaturesComputed)]
    assert [event.total for event in passes if event.done == event.total] == [30, 10]
    result = next(event for event in events if isinstance(event, TransferMeasured))
    assert result.test_images == 10
    assert [baseline.name for baseline in result.baselines] == ["linear probe", "nearest class mean"]
    weights = folder.load(tmp_path / "run" / "arms" / "transfer")
    assert (weights.preprocessing.resize, weights.preprocessing.mean) == (64, (0.485, 0.456, 0.406))
    assert [tuple(value.shape) for name, value in weights.model.named_parameters() if name.startswith("fc.")] == [
        (256, 2048), (256,), (10, 256), (10,),
    ]  # fmt: skip
    trunk = base.state_dict()
    assert all(
        torch.equal(value, trunk[name]) for name, value in weights.model.state_dict().items() if not name.startswith("fc.")
    )
