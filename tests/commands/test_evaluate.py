from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_demo.__main__ import main
from resnet_demo.config import DataConfig, ModelConfig
from resnet_demo.data import dataset
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.evaluation import predictions
from resnet_demo.model.resnet import build
from resnet_demo.zoo.folder import ModelFolder, write

MEAN, STD = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    config = ModelConfig.named("resnet8")
    preprocessing = Preprocessing(mean=MEAN, std=STD)
    content = ModelFolder(architecture=config, classes=dataset.CIFAR10_CLASSES, preprocessing=preprocessing)
    write(tmp_path / "mine", content, build(config, seed=1).state_dict(), "")
    return tmp_path / "mine"


def test_json_holds_what_the_design_names_and_the_numbers_of_training(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", str(model), "--data", "bundled", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"model", "data", "images", "accuracy", "precision", "recall", "f1", "confusion"} <= told.keys()
    assert (told["model"], told["data"], told["images"]) == (str(model), "bundled", 1000)
    test = dataset.load(DataConfig()).test
    answers = predictions.logits(build(ModelConfig.named("resnet8"), seed=1), test, MEAN, STD)
    assert told["accuracy"] == pytest.approx(1 - predictions.loss_and_error(answers, test.labels)[1])
    assert [sum(row) for row in told["confusion"]] == [100] * 10


def test_people_get_a_table(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", str(model)]) == 0
    out = capsys.readouterr().out
    assert "mine on the test images of CIFAR-10 (bundled part)" in out
    assert "1,000 pictures" in out
    assert "airplane" in out


def test_other_classes_are_refused(model: Path, picture_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", str(model), "--data", str(picture_folder)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "mine was trained on other classes than those of colours" in captured.err


def test_a_model_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", "nowhere"]) == 1
    assert "There is no model 'nowhere'" in capsys.readouterr().err


def test_several_models_are_a_list_and_people_get_mcnemar_s_test(capsys: pytest.CaptureFixture[str]) -> None:
    models = ["--model", "resnet20-cifar10", "--model", "plain20-cifar10"]
    assert main(["evaluate", *models, "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["model"], second["model"]) == ("resnet20-cifar10", "plain20-cifar10")
    assert first["interval"][0] < first["accuracy"] < first["interval"][1]
    assert first["top5"] is None and 0 < first["ece"] < 0.1  # five of ten classes would say little
    assert [row["label"] for row in first["per_class"]] == list(dataset.CIFAR10_CLASSES)
    assert [row["value"] for row in first["paper"]] == [8.75] and second["paper"] == []
    assert main(["evaluate", *models]) == 0
    assert "McNemar's exact test" in capsys.readouterr().out
