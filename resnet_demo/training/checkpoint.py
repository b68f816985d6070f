"""What a run saves: the checkpoint from which it continues, and the trained weights as model folders."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from torch import nn

from resnet_demo.config import ModelConfig
from resnet_demo.errors import RunError
from resnet_demo.training.assemble import Origin
from resnet_demo.zoo import folder as model_folder


def to_bytes(content: dict[str, Any]) -> memoryview:
    """Serialize a checkpoint."""
    file = io.BytesIO()  # torch.save hides the reason when writing to a file fails
    torch.save(content, file)
    return file.getbuffer()


def read(path: Path) -> dict[str, Any] | None:
    """Load a checkpoint onto the CPU; None if there is no checkpoint yet.

    Raises:
        RunError: the file is damaged.
    """
    if not path.exists():
        return None
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise many types
        raise RunError(f"{path} is damaged; the run can only begin anew.") from error
    return content


def write_weights(
    target: Path, architecture: ModelConfig, model: nn.Module, origin: Origin, card: str, accuracy: float | None
) -> None:
    """Write a trained network as a model folder.

    Args:
        target: the folder.
        architecture: the configuration of the network.
        model: the network.
        origin: the data it was trained on, their classes and preprocessing.
        card: its model card.
        accuracy: its accuracy on all test images; None if the run did not measure all of them.
    """
    content = model_folder.ModelFolder(
        architecture=architecture,
        classes=origin.classes,
        preprocessing=origin.preprocessing,
        test_accuracy=accuracy,
        trained_on=origin.data,
    )
    model_folder.write(target, content, model.state_dict(), card)
