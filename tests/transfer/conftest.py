"""A base of eight layers with random weights, and the settings of a transfer that takes a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from resnet_demo.config import ModelConfig, RunConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.model.resnet import build
from resnet_demo.transfer.settings import TransferSettings, transfer_run
from resnet_demo.zoo import folder

Run = Callable[..., RunConfig]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a network of five classes whose batch normalization has statistics of its own. Read it, don't change it."""
    path = tmp_path_factory.mktemp("bases") / "base"
    architecture = ModelConfig(depth=8, width=4, classes=5)
    model, generator = build(architecture, 7), torch.Generator().manual_seed(1)
    for name, value in model.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_(generator=generator)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 2, generator=generator)
    content = folder.ModelFolder(
        architecture=architecture, classes=tuple("abcde"),
        preprocessing=Preprocessing(image_size=16, resize=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
    )  # fmt: skip
    folder.write(path, content, model.state_dict(), "# base\n")
    return path


@pytest.fixture(scope="session")
def transfer(base: Path, picture_folder: Path) -> Run:
    """Makes the run of a tiny transfer: `changes` are fields of TransferSettings."""

    def make(**changes: Any) -> RunConfig:
        values = {
            "base": str(base),
            "data": str(picture_folder),
            "batch": 6,
            "epochs": 2,
            "fine_epochs": 1,
            "precision": "fp32",
        }
        return transfer_run(TransferSettings(**{**values, **changes}), allow_paths=True).model_copy(update={"log_every": 1})

    return make
