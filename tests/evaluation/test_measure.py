from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import DataError
from resnet_demo.evaluation import testset
from resnet_demo.evaluation.measure import measure
from resnet_demo.model.resnet import build
from resnet_demo.zoo.folder import Weights


class Brightest(nn.Module):
    """Answers with the brightest channel: right on pictures of one colour."""

    def __init__(self) -> None:
        super().__init__()
        self.config = ModelConfig.named("resnet8", classes=3)
        self.fc = nn.Linear(3, 3, bias=False)
        self.fc.weight.data = torch.eye(3)
        self.device = torch.device("cpu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x.mean((2, 3)))


def colour_model(*classes: str) -> Weights:
    preprocessing = Preprocessing(image_size=12, resize=12, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    return Weights("brightest", Brightest().eval(), preprocessing, classes)  # type: ignore[arg-type]


def test_a_model_that_knows_colours_is_right_on_all_of_them(picture_folder: Path) -> None:
    told: list[tuple[int, int]] = []
    measured = measure(
        colour_model("red", "green", "blue"), testset.load(str(picture_folder)), on_progress=lambda *both: told.append(both)
    )
    assert measured.scores.accuracy == 1
    assert measured.scores.confusion == ((2, 0, 0), (0, 2, 0), (0, 0, 2))
    assert measured.labels.tolist() == [2, 2, 1, 1, 0, 0]  # in the model's order, not the folder's
    assert measured.predicted.tolist() == measured.labels.tolist()
    assert told == [(6, 6)]


def test_a_wrong_order_of_the_classes_would_show(picture_folder: Path) -> None:
    measured = measure(colour_model("blue", "green", "red"), testset.load(str(picture_folder)))
    assert measured.scores.accuracy == pytest.approx(1 / 3)
    assert measured.scores.confusion == ((0, 0, 2), (0, 2, 0), (2, 0, 0))


def test_the_model_s_mean_and_deviation_are_used(picture_folder: Path) -> None:
    red_is_subtracted = colour_model("red", "green", "blue")
    preprocessing = red_is_subtracted.preprocessing.model_copy(update={"mean": (1.0, 0.0, 0.0)})
    weights = Weights("shifted", red_is_subtracted.model, preprocessing, red_is_subtracted.classes)
    assert measure(weights, testset.load(str(picture_folder))).scores.recall == pytest.approx(2 / 3)


def test_a_model_of_other_classes_is_refused_before_a_picture_is_read() -> None:
    model = build(ModelConfig.named("resnet8", classes=2)).eval()
    with pytest.raises(DataError, match="was trained on other classes than those of CIFAR-10"):
        measure(Weights("two", model, Preprocessing(), ("a", "b")), testset.load("bundled"))
