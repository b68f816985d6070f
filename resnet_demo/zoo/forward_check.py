"""Check with one forward pass that a model's weights and preprocessing give finite answers.

Finite weights can still overflow together. A batch of two example pictures shows whether they do on ordinary pictures,
and takes about as long as a first answer.
"""

from __future__ import annotations

import torch
from torch import nn

from resnet_demo.data.image import read
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import WeightsError
from resnet_demo.files import EXAMPLES

PICTURES = ("cifar10-cat.png", "coffee.jpg")


def check_answers(origin: str, model: nn.Module, preprocessing: Preprocessing) -> None:
    """Run the model, which is in evaluation mode on the CPU, on the pictures.

    Raises:
        WeightsError: a logit is not a finite number.
    """
    pictures = torch.cat([preprocessing(read(EXAMPLES / name)) for name in PICTURES])
    with torch.no_grad():
        logits = model(pictures)
    if not torch.isfinite(logits).all():
        raise WeightsError(
            f"{origin} answers ordinary pictures with numbers that are not finite: its weights are damaged, or its "
            "preprocessing is not the one it was trained with."
        )
