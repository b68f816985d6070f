"""What a run keeps on disk: the checkpoint that it goes on from, and the trained weights as model folders."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from torch import nn

from resnet_demo.config import ModelConfig, RunConfig
from resnet_demo.data.dataset import Dataset
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import RunError
from resnet_demo.zoo import folder as model_folder


def to_bytes(content: dict[str, Any]) -> memoryview:
    """A checkpoint as the content of its file."""
    file = io.BytesIO()  # torch.save straight into a file hides why writing failed
    torch.save(content, file)
    return file.getbuffer()


def read(path: Path) -> dict[str, Any] | None:
    """The content of a checkpoint, on the CPU; None where there is no checkpoint yet.

    Raises:
        RunError: the file is damaged.
    """
    if not path.exists():
        return None
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file raises many kinds
        raise RunError(f"{path} is damaged; the run can only begin anew.") from error
    return content


def write_weights(
    target: Path, architecture: ModelConfig, model: nn.Module, data: Dataset, config: RunConfig, accuracy: float | None
) -> None:
    """Write a trained network as a model folder.

    Args:
        target: the folder.
        architecture: of the network.
        model: the network.
        data: that it was trained on.
        config: of the run.
        accuracy: share of all test images that it gets right; None where they were not all measured.
    """
    size = config.data.image_size
    content = model_folder.ModelFolder(
        architecture=architecture,
        classes=data.classes,
        preprocessing=Preprocessing(image_size=size, resize=size, mean=data.mean, std=data.std),
        test_accuracy=accuracy,
        trained_on=data.name,
    )
    card = f"# {architecture.name}\n\nTrained by ResNet RunService on {data.name}, {config.steps} steps of {config.batch} images.\n"
    model_folder.write(target, content, model.state_dict(), card)
