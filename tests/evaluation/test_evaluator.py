"""Stored answers, those that ship, and new measurements."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy
import pytest

from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import DataError
from resnet_demo.evaluation import testset
from resnet_demo.evaluation.evaluator import Evaluator
from resnet_demo.evaluation.fingerprints import Fingerprints
from resnet_demo.evaluation.measure import measure
from resnet_demo.evaluation.stored_predictions import SHIPPED_FILE, StoredPredictions, read
from resnet_demo.model.resnet import build
from resnet_demo.zoo import folder
from resnet_demo.zoo.catalogue import SHIPPED

MODELS = sorted(path.parent.name for path in SHIPPED.glob(f"*/{folder.CONFIG}"))


@pytest.mark.parametrize("model", MODELS)
def test_the_answers_that_ship_are_those_that_the_model_gives(model: str) -> None:
    key = Fingerprints().key(model, "bundled")
    assert key is not None
    shipped = read(SHIPPED / model / SHIPPED_FILE, key)
    assert shipped is not None, f"make it again: python -m resnet_demo.evaluation.ship {model}"
    again = measure(folder.load(SHIPPED / model), testset.load("bundled"), exact=True)
    assert again.labels.tolist() == shipped.labels.tolist()
    assert int((again.predicted != shipped.predicted).sum()) <= 1  # a near tie, on another processor
    assert numpy.abs(again.confidence - shipped.confidence).max() < 1e-3
    assert again.ece == pytest.approx(shipped.ece, abs=1e-3)


@pytest.fixture
def evaluator(tmp_path: Path) -> Evaluator:
    return Evaluator(StoredPredictions(tmp_path / "evaluations"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    config = ModelConfig.named("resnet8", classes=3)
    content = folder.ModelFolder(architecture=config, classes=("blue", "green", "red"), preprocessing=Preprocessing())
    folder.write(tmp_path / "mine", content, build(config, seed=1).state_dict(), "")
    return tmp_path / "mine"


def load(name: str, say: object, should_cancel: object) -> folder.Weights:
    return folder.load(Path(name))


def never(name: str, say: object, should_cancel: object) -> folder.Weights:
    raise AssertionError("nothing has to be loaded")


def test_asking_again_loads_nothing_and_another_question_does(
    evaluator: Evaluator, model: Path, picture_folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "colours"
    shutil.copytree(picture_folder, data)
    sentences: list[str] = []
    first = evaluator.measure(str(model), str(data), load, allow_paths=True, say=sentences.append)
    assert any("6 of 6 pictures" in sentence for sentence in sentences)
    again = evaluator.measure(str(model), str(data), never, allow_paths=True)
    assert again.scores == first.scores and again.about == first.about
    (data / "red" / "004.png").write_bytes((data / "blue" / "004.png").read_bytes())
    with pytest.raises(AssertionError, match="nothing has to be loaded"):
        evaluator.measure(str(model), str(data), never, allow_paths=True)
    content = folder.read_config(model)
    changed = content.model_copy(update={"preprocessing": Preprocessing(mean=(0.1, 0.1, 0.1))})
    folder.write(model, changed, folder.load(model).model.state_dict(), "")
    assert evaluator.find(str(model), str(picture_folder), allow_paths=True) is None


def test_a_card_that_is_written_again_changes_no_answers(evaluator: Evaluator, model: Path, picture_folder: Path) -> None:
    evaluator.measure(str(model), str(picture_folder), load, allow_paths=True)
    text = (model / folder.CONFIG).read_text().replace('"trained_on": ""', '"trained_on": "colours"')
    (model / folder.CONFIG).write_text(text)
    assert evaluator.find(str(model), str(picture_folder), allow_paths=True) is not None


def test_the_first_answers_need_no_store(evaluator: Evaluator) -> None:
    shipped = evaluator.measure("resnet20-cifar10", "bundled", never)
    assert shipped.scores.images == 1000
    assert not evaluator.stored.folder.exists()


def test_cifar10_that_is_not_here_is_refused_offline_in_a_sentence(
    evaluator: Evaluator, model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DataError, match="not on this machine, and the app runs offline: measure on the bundled ones"):
        evaluator.measure(str(model), "cifar10", load, allow_paths=True)


def test_other_data_than_a_folder_s_is_refused(evaluator: Evaluator, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no data set"):
        evaluator.find("resnet20-cifar10", str(tmp_path / "nowhere"))


def test_answers_of_weights_that_were_replaced_meanwhile_are_not_kept_as_those_of_the_new_ones(
    evaluator: Evaluator, model: Path, picture_folder: Path
) -> None:
    def load_and_replace(name: str, say: object, should_cancel: object) -> folder.Weights:
        weights = folder.load(Path(name))
        folder.write(model, folder.read_config(model), build(weights.model.config, seed=2).state_dict(), "")
        return weights

    evaluator.measure(str(model), str(picture_folder), load_and_replace, allow_paths=True)
    assert evaluator.find(str(model), str(picture_folder), allow_paths=True) is None
