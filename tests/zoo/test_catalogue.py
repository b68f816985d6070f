from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import WeightsError
from resnet_demo.model.resnet import build
from resnet_demo.zoo import catalogue
from resnet_demo.zoo.folder import ModelFolder, write


def add(root: Path, name: str, architecture: str, accuracy: float | None = None) -> Path:
    config = ModelConfig.named(architecture)
    content = ModelFolder(
        architecture=config,
        classes=tuple("abcdefghij"),
        preprocessing=Preprocessing(),
        test_accuracy=accuracy,
        trained_on="Letters",
    )
    write(root / name, content, build(config).state_dict(), "")
    return root / name


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Empty places for the models that ship and for the user's own."""
    monkeypatch.setattr(catalogue, "SHIPPED", tmp_path / "weights")
    monkeypatch.setenv("RESNET_DEMO_HOME", str(tmp_path / "home"))
    return tmp_path / "weights", tmp_path / "home" / "models"


def test_models_that_ship_come_first_then_one_s_own_then_the_hub_s(roots: tuple[Path, Path]) -> None:
    shipped, own = roots
    add(shipped, "plain8-letters", "plain8", 0.25)
    add(shipped, "resnet8-letters", "resnet8", 0.75)
    add(own, "mine", "resnet14")
    names = [entry.name for entry in catalogue.available()]
    assert names[:4] == ["resnet8-letters", "plain8-letters", "mine", "timm/resnet18.tv_in1k"]
    assert len(names) == 3 + 10
    first = catalogue.available()[0]
    assert (first.title, first.architecture, first.classes, first.test_accuracy, first.trained_on) == (
        "ResNet-8 (Letters)", "resnet8", 10, 0.75, "Letters",
    )  # fmt: skip


def test_the_hub_s_accuracies_are_named_as_timm_s(roots: tuple[Path, Path]) -> None:
    entries = {entry.name: entry for entry in catalogue.available()}
    assert entries["timm/resnet50.tv_in1k"].test_accuracy == 0.7616
    assert entries["timm/resnet152.a1_in1k"].test_accuracy == 0.82
    assert all("timm's published top-1" in entry.source for entry in entries.values())


def test_a_name_that_ships_hides_one_s_own(roots: tuple[Path, Path]) -> None:
    shipped, own = roots
    add(shipped, "same", "resnet8")
    add(own, "same", "resnet14")
    assert [entry.architecture for entry in catalogue.available() if entry.name == "same"] == ["resnet8"]
    assert catalogue.find("same") == shipped / "same"


@pytest.mark.parametrize("damage", ["no config", "bad config", "no weights", "truncated weights"])
def test_a_damaged_folder_is_left_out_with_a_warning(
    roots: tuple[Path, Path], caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    folder = add(roots[1], "mine", "resnet8")
    config, weights = folder / "config.json", folder / "model.safetensors"
    match damage:
        case "no config":
            config.unlink()
        case "bad config":
            config.write_text('{"architecture": 3}')
        case "no weights":
            weights.unlink()
        case _:
            weights.write_bytes(weights.read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        assert len(catalogue.available()) == 10
    assert f"The model in {folder} is damaged and left out" in caplog.text


@pytest.mark.parametrize(
    "source", ["", ".", "..", "mine/..", "../weights/mine", "/etc/passwd", "a/b/c", "~", "user/..", "user/na--me", "us er/name"]
)
def test_text_from_a_page_is_never_taken_for_a_path(roots: tuple[Path, Path], source: str) -> None:
    add(roots[1], "mine", "resnet8")
    with pytest.raises(WeightsError, match="There is no model"):
        catalogue.locate(source, allow_paths=False)


def test_only_the_command_line_may_name_a_path(roots: tuple[Path, Path], tmp_path: Path) -> None:
    folder = add(tmp_path / "elsewhere", "mine", "resnet8")
    with pytest.raises(WeightsError):
        catalogue.locate(str(folder), allow_paths=False)
    assert catalogue.locate(str(folder), allow_paths=True) == folder


def test_a_hub_id_is_left_as_it_is_even_where_a_folder_of_that_path_is(
    roots: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tmp_path / "user", "name", "resnet8")
    monkeypatch.chdir(tmp_path)
    assert catalogue.locate("user/name", allow_paths=False) == "user/name"
    assert catalogue.locate("user/name", allow_paths=True) == tmp_path / "user" / "name"


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_a_pipe_in_a_model_folder_is_left_out_and_not_waited_for(
    roots: tuple[Path, Path], file: str, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = add(roots[1], "mine", "resnet8")
    (damaged / file).unlink()
    os.mkfifo(damaged / file)
    assert "mine" not in [entry.name for entry in catalogue.available()]
    assert "not a regular file" in caplog.text


def test_the_network_of_a_run_has_a_name_before_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_DEMO_HOME", str(tmp_path))
    name = catalogue.run_model("20260131-235959-3f9c01", "transfer")
    assert catalogue.find(name) is None
    folder = tmp_path / "runs" / "20260131-235959-3f9c01" / "arms" / "transfer"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert catalogue.find(name) == catalogue.locate(name, allow_paths=False) == folder
    assert catalogue.title_of(name) == "The transferred network"
    for other in ("run-20260131-235959-3f9c01-../../x", "run-..-transfer", "run-20260131-235959-3f9c01-"):
        assert catalogue.find(other) is None


def test_what_a_model_learned_from_is_known_by_name_path_or_hub_id(tmp_path: Path) -> None:
    assert (
        catalogue.trained_on("resnet20-cifar10")
        == catalogue.trained_on(str(catalogue.SHIPPED / "resnet20-cifar10"))
        == "CIFAR-10"
    )
    assert catalogue.trained_on("timm/resnet50.tv_in1k") == "ImageNet-1k"
    assert catalogue.trained_on("user/name") == catalogue.trained_on(str(tmp_path)) == ""
