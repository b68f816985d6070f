from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from resnet_demo.__main__ import main
from resnet_demo.config import ModelConfig
from resnet_demo.data.dataset import CIFAR10_CLASSES
from resnet_demo.evaluation import fitting
from resnet_demo.evaluation.fitting import NORMALIZATIONS, Trial
from resnet_demo.model.resnet import build
from resnet_demo.zoo import folder, foreign
from tests.zoo.other_projects import LAYOUTS, OtherNetwork, akamaster_of

TRUE = "CIFAR-10's mean and deviation"
SHIPPED = Path(__file__).parents[2] / "weights"


def trained(name: str) -> dict[str, Tensor]:
    """The weights of a network that ships, which was trained with the normalization TRUE."""
    return folder.load(SHIPPED / name).model.state_dict()


def saved(path: Path, state: dict[str, Tensor]) -> Path:
    """A checkpoint in another project's layout."""
    torch.save({"state_dict": {f"module.{name.replace('fc', 'linear')}": tensor for name, tensor in state.items()}}, path)
    return path


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only two normalizations are tried, the true one and a bad one, on fewer pictures: it is quicker."""
    monkeypatch.setattr(fitting, "PICTURES", 200)
    for name in NORMALIZATIONS.keys() - {TRUE, "values from 0 to 255"}:
        monkeypatch.delitem(NORMALIZATIONS, name)


def imported(checkpoint: Path, out: Path, *more: str, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    assert main(["import", str(checkpoint), "--out", str(out), "--json", *more]) == 0
    captured = capsys.readouterr()
    return json.loads(captured.out), captured.err


def refused(checkpoint: Path, out: Path, *more: str, capsys: pytest.CaptureFixture[str]) -> str:
    before = sorted(out.parent.iterdir())
    assert main(["import", str(checkpoint), "--out", str(out), *more]) == 1
    assert sorted(out.parent.iterdir()) == before
    return capsys.readouterr().err


def test_the_normalization_is_found_among_all_that_are_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """ImageNet's is so close to CIFAR-10's that few pictures cannot tell them apart."""
    monkeypatch.setattr(fitting, "PICTURES", 200)
    values, messages = imported(saved(tmp_path / "m.th", trained("resnet20-cifar10")), tmp_path / "new", capsys=capsys)
    assert (values["normalization"], values["architecture"], values["zeros"]) == (TRUE, "resnet20", "last")
    assert values["warnings"] == []
    assert f"200 images cannot tell {TRUE} from " in messages
    assert {trial["normalization"] for trial in values["tried"]} == NORMALIZATIONS.keys()
    weights = folder.load(tmp_path / "new")
    assert (weights.preprocessing.mean, weights.preprocessing.std) == NORMALIZATIONS[TRUE]
    assert main(["evaluate", "--model", str(tmp_path / "new"), "--json"]) == 0
    accuracy = values["test_accuracy"]
    assert accuracy > 0.9
    assert json.loads(capsys.readouterr().out)["accuracy"] == pytest.approx(accuracy)
    assert f"{accuracy:.1%} of the 1,000 bundled CIFAR-10 test images" in (tmp_path / "new" / folder.CARD).read_text()


@pytest.mark.usefixtures("few")
def test_a_plain_network_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values, messages = imported(saved(tmp_path / "m.th", trained("plain20-cifar10")), tmp_path / "new", capsys=capsys)
    assert (values["normalization"], values["architecture"], values["zeros"], messages) == (TRUE, "plain20", None, "")
    assert values["test_accuracy"] > 0.9
    assert folder.load(tmp_path / "new").model.config.residual is False


@pytest.mark.usefixtures("few")
def test_zeros_around_the_old_channels_are_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The shipped ResNet-20 as akamaster/pytorch_resnet_cifar10 would have saved it. Read as ours it is right on 14 %."""
    theirs = akamaster_of(trained("resnet20-cifar10"))
    path = saved(tmp_path / "m.th", theirs.state_dict())
    values, messages = imported(path, tmp_path / "new", capsys=capsys)
    assert (values["normalization"], values["architecture"], values["zeros"], messages) == (TRUE, "resnet20", "around", "")
    last = max(trial["accuracy"] for trial in values["tried"] if trial["zeros"] == "last")
    assert values["test_accuracy"] > 0.9 and last < 0.3
    ours, x = folder.load(tmp_path / "new").model, torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ours.double()(x.double()), theirs.double()(x.double()), rtol=1e-9, atol=1e-9)
    assert "half of the zeros" in (tmp_path / "new" / folder.CARD).read_text()

    message = refused(path, tmp_path / "again", "--zeros", "last", capsys=capsys)
    assert "as residual, zeros around with" in message and "the given ones seem wrong" in message


@pytest.mark.parametrize("depth", [32, 56])
def test_zeros_around_can_be_given_where_no_images_can_tell(
    depth: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = OtherNetwork(LAYOUTS["akamaster"], depth, classes=7)
    path = saved(tmp_path / "m.th", theirs.state_dict())
    values, messages = imported(path, tmp_path / "new", "--zeros", "around", capsys=capsys)
    assert (values["tried"], values["zeros"], values["test_accuracy"]) == ([], "around", None)
    assert "what its shortcuts do" not in messages
    ours = folder.load(tmp_path / "new").model.double()
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs.double()(x), rtol=1e-9, atol=1e-9)

    values, messages = imported(path, tmp_path / "default", capsys=capsys)
    assert values["zeros"] == "last"
    assert "cannot test a network of these 7 classes" in messages
    assert "Nor can they tell what its shortcuts do" in messages and "give --zeros around" in messages


def test_zeros_are_no_setting_of_projections(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "m.th", build(ModelConfig.named("resnet8", shortcut="B")).state_dict())
    assert main(["import", str(path), "--out", str(tmp_path / "new"), "--zeros", "around"]) == 2
    assert "--zeros around does not fit" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("few")
def test_classes_in_another_order_are_measured_in_that_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = dict(trained("resnet20-cifar10"))
    state["fc.weight"], state["fc.bias"] = state["fc.weight"].flip(0), state["fc.bias"].flip(0)
    path = saved(tmp_path / "m.th", state)
    assert "classes may be in another order" in refused(path, tmp_path / "new", capsys=capsys)
    (tmp_path / "classes.txt").write_text("\n".join(reversed(CIFAR10_CLASSES)))
    values, _ = imported(path, tmp_path / "new", "--classes", str(tmp_path / "classes.txt"), capsys=capsys)
    assert values["test_accuracy"] > 0.9
    assert folder.load(tmp_path / "new").classes == CIFAR10_CLASSES[::-1]


def test_ten_other_classes_are_not_measured_on_cifar_10(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "m.th", build(ModelConfig.named("resnet8")).state_dict())
    (tmp_path / "classes.txt").write_text("\n".join("0123456789"))
    values, messages = imported(path, tmp_path / "new", "--classes", str(tmp_path / "classes.txt"), capsys=capsys)
    assert values["tried"] == []
    assert "cannot test a network of these 10 classes" in messages


@pytest.mark.usefixtures("few")
def test_the_normalization_is_chosen_without_a_look_at_the_test_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, files = foreign.read(saved(tmp_path / "m.th", trained("resnet20-cifar10"))), []
    original = fitting.read_cifar10
    monkeypatch.setattr(fitting, "read_cifar10", lambda path: files.append(path.name) or original(path))
    reading = foreign.readings(foreign.recognise(state), state)[0]
    tried = list(fitting.trials([reading], CIFAR10_CLASSES, "here"))
    assert files == ["train.parquet"]
    best = max(tried, key=lambda trial: trial.accuracy)
    assert fitting.test_accuracy(best, CIFAR10_CLASSES, "here") != best.accuracy
    assert files == ["train.parquet", "test.parquet"]


@pytest.mark.usefixtures("few")
def test_a_wrong_normalization_is_taken_as_given_and_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "m.th", trained("resnet20-cifar10"))
    wrong = ["--mean", "0.4", "0.4", "0.4", "--std", "0.5", "0.5", "0.5"]
    values, messages = imported(path, tmp_path / "new", *wrong, capsys=capsys)
    assert values["mean"] == [0.4, 0.4, 0.4]
    assert 0.5 < values["test_accuracy"] < 0.9
    assert "WARNING" in messages
    assert f"with {TRUE}" in messages
    assert "the given ones seem wrong" in messages
    wrong[-3:] = ["9", "9", "9"]
    message = refused(path, tmp_path / "bad", *wrong, capsys=capsys)
    assert f"with {TRUE}" in message and "the given ones seem wrong" in message


@pytest.mark.usefixtures("few")
def test_an_untrained_network_is_refused_unless_it_is_forced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "m.th", build(ModelConfig.named("resnet8")).state_dict())
    message = refused(path, tmp_path / "new", capsys=capsys)
    assert "is not imported. Read as " in message and "of the 1,000 bundled CIFAR-10 test images" in message
    values, messages = imported(path, tmp_path / "new", "--force", capsys=capsys)
    assert values["test_accuracy"] < 0.5
    assert "WARNING: Read as " in messages
    assert len(values["warnings"]) == 1
    folder.load(tmp_path / "new")


def test_an_imagenet_network_says_that_its_normalization_is_untested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(build(ModelConfig.named("resnet18", classes=2)).state_dict(), tmp_path / "m.pt")
    (tmp_path / "classes.txt").write_text("ant\nbee\n")
    told, messages = imported(tmp_path / "m.pt", tmp_path / "new", "--classes", str(tmp_path / "classes.txt"), capsys=capsys)
    assert told["tried"] == []
    assert "WARNING: The normalization is ImageNet's, untested" in messages
    weights = folder.load(tmp_path / "new")
    assert weights.classes == ("ant", "bee")
    assert (weights.preprocessing.image_size, weights.preprocessing.resize) == (224, 256)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--mean", "0", "0", "0"], "--mean and --std belong together"),
        (["--mean", "0", "0", "0", "--std", "1", "0", "1"], "--std must be three numbers above 0"),
        (["--mean", "0", "0", "0", "--std", "1", "nan", "1"], "--std must be three numbers above 0 (given: [1.0, nan, 1.0])"),
        (["--mean", "0", "inf", "0", "--std", "1", "1", "1"], "--mean must be three finite numbers (given: [0.0, inf, 0.0])"),
        (["--mean", "0", "0", "0", "--std", "1", "1e308", "1"], "std.1: should be less than or equal to 10 (given: '1e+308')"),
        (["--mean", "0", "0", "0", "--std", "1", "1e-300", "1"], "std.1: should be greater than 0.001 (given: '1e-300')"),
        (["--mean", "1e308", "0", "0", "--std", "1", "1", "1"], "mean.0: should be less than or equal to 10"),
        (["--classes", "{folder}/classes.txt"], "names 2 classes; the checkpoint has 10"),
        (
            ["--classes", "{folder}/steering.txt"],
            r"steering.txt: the name of a class holds control characters or invisible ones ('a\x1b[31mt')",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    tmp_path: Path, more: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(build(ModelConfig.named("resnet8")).state_dict(), tmp_path / "m.pt")
    (tmp_path / "classes.txt").write_text("ant\nbee\n")
    (tmp_path / "steering.txt").write_text("a\x1b[31mt\nbee\n")
    more = [word.format(folder=tmp_path) for word in more]
    assert main(["import", str(tmp_path / "m.pt"), "--out", str(tmp_path / "new"), *more]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_checkpoint_that_gives_no_finite_answers_is_not_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = build(ModelConfig.named("resnet18", classes=2)).state_dict()
    torch.save(state | {"conv1.weight": torch.full((64, 3, 7, 7), 3e38)}, tmp_path / "m.pt")
    os.mkfifo(tmp_path / "pipe.pt")
    for name, sentence in (("m.pt", "numbers that are not finite"), ("pipe.pt", "is not a regular file")):
        assert main(["import", str(tmp_path / name), "--out", str(tmp_path / "new")]) == 1
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_model_that_is_there_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(build(ModelConfig.named("resnet8", classes=3)).state_dict(), tmp_path / "m.pt")
    imported(tmp_path / "m.pt", tmp_path / "new", capsys=capsys)
    assert main(["import", str(tmp_path / "m.pt"), "--out", str(tmp_path / "new")]) == 1
    assert "holds a model already" in capsys.readouterr().err


def test_normalizations_that_fit_as_well_are_named() -> None:
    config = ModelConfig.named("resnet8")
    read, other = (foreign.Reading("residual", config, {}) for _ in range(2))
    ways = [("a", read, 0.89), ("b", read, 0.885), ("c", read, 0.87), ("d", other, 0.89)]
    tried = [Trial(name, (0, 0, 0), (1, 1, 1), reading, accuracy) for name, reading, accuracy in ways]
    assert fitting.rivals(tried, tried[0]) == ["b"]
