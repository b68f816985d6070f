from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from resnet_demo.__main__ import main
from resnet_demo.config import ModelConfig
from resnet_demo.data.dataset import CIFAR10_CLASSES
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.inference.classify import classify
from resnet_demo.words import share
from resnet_demo.zoo.folder import ModelFolder, load, write
from tests.inference.networks import noise, weights


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    content = ModelFolder(architecture=ModelConfig.named("resnet8"), classes=CIFAR10_CLASSES, preprocessing=Preprocessing())
    write(folder, content, weights("resnet8").model.state_dict(), "A network for tests.")
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for number, path in enumerate(paths):
        noise(60, 40, number).save(path)
    return paths


def test_json_is_one_list_with_the_names_of_the_design(
    model: Path, pictures: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", *map(str, pictures), "--model", str(model), "--top-k", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [entry["image"] for entry in told] == [str(path) for path in pictures]
    assert {entry["model"] for entry in told} == {"tiny"}
    for entry, path in zip(told, pictures, strict=True):
        wanted = classify(load(model), Image.open(path)).top(3)
        assert [item["label"] for item in entry["predictions"]] == [item.label for item in wanted]
        shares = [item["probability"] for item in entry["predictions"]]
        assert shares == pytest.approx([item.probability for item in wanted], abs=1e-6)


def test_the_likeliest_classes_are_printed_for_people(
    model: Path, pictures: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", str(pictures[0]), "--model", str(model)]) == 0
    lines = capsys.readouterr().out.splitlines()
    top = classify(load(model), Image.open(pictures[0])).top(5)
    assert lines[0] == str(pictures[0])
    assert [line.split()[-1] for line in lines[1:6]] == [item.label for item in top]
    assert lines[1].strip().startswith(share(top[0].probability))


def test_a_class_that_is_all_but_certain_is_not_called_certain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = weights("resnet8").model.state_dict()
    content = ModelFolder(architecture=ModelConfig.named("resnet8"), classes=CIFAR10_CLASSES, preprocessing=Preprocessing())
    write(tmp_path / "sure", content, {**state, "fc.bias": torch.tensor([50.0] + [0.0] * 9)}, "Always an airplane.")
    noise(40, 40, 0).save(tmp_path / "any.png")
    assert main(["classify", str(tmp_path / "any.png"), "--model", str(tmp_path / "sure")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split(maxsplit=2) == [">99.9", "%", "airplane"]
    assert {line.split("%")[0].strip() for line in lines[2:6]} == {"<0.1"}


def test_files_that_are_no_pictures_are_told_and_the_others_answered(
    model: Path, pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.png"
    text.write_text("no picture")
    files = [str(pictures[0]), str(text), str(tmp_path / "absent.png"), str(pictures[1])]
    assert main(["classify", *files, "--model", str(model), "--json"]) == 1
    said = capsys.readouterr()
    assert [entry["image"] for entry in json.loads(said.out)] == [files[0], files[3]]
    lines = said.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"resnet_demo: {text}: The file is not a picture")
    assert lines[1] == f"resnet_demo: {files[2]}: There is no such file."


def test_the_map_is_written_for_the_named_stage_and_class(
    model: Path, pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cam = tmp_path / "cam.png"
    asked = ["--model", str(model), "--cam", str(cam), "--json"]
    assert main(["classify", str(pictures[0]), *asked]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["cam"], entry["stage"], entry["target"]) == (str(cam), "layer3", entry["predictions"][0]["label"])
    whole = Image.open(cam)
    assert whole.size == (448, 448)
    assert main(["classify", *map(str, pictures), *asked, "--stage", "layer1", "--target", "truck"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [(entry["cam"], entry["stage"], entry["target"]) for entry in entries] == [
        (str(tmp_path / f"cam-{number}.png"), "layer1", "truck") for number in (1, 2)
    ]
    assert Image.open(tmp_path / "cam-1.png").tobytes() != whole.tobytes()


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--top-k", "0"], 2, "--top-k must be at least 1, not 0."),
        (["--stage", "layer1"], 2, "give --cam FILE.png too"),
        (["--model", "no-such-model"], 1, "no-such-model"),
        (["--cam", "{folder}/cam.png", "--target", "unicorn"], 2, "'unicorn' is no class of this model"),
        (["--cam", "{folder}/cam.png", "--target", "ship,"], 2, "'ship,' is no class"),
        (["--cam", "{folder}/cam.png", "--target", "r"], 2, "fits several classes: airplane, bird"),
        (["--cam", "{folder}/cam.png", "--stage", "layer9"], 2, "has no stage 'layer9'"),
        (["--cam", "{folder}/absent/cam.png"], 2, "cannot be written"),
        (["--cam", "{folder}/cam.mp3"], 2, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_status(
    options: list[str],
    status: int,
    words: str,
    model: Path,
    pictures: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [option.replace("{folder}", str(tmp_path)) for option in options]
    given = given if "--model" in given else ["--model", str(model), *given]
    assert main(["classify", str(pictures[0]), *given]) == status
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_a_class_may_be_named_by_its_number_or_a_part_of_its_name(
    model: Path, pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for named, label in (("9", "truck"), ("AIRPLANE", "airplane"), ("auto", "automobile")):
        asked = ["--model", str(model), "--cam", str(tmp_path / "cam.png"), "--target", named, "--json"]
        assert main(["classify", str(pictures[0]), *asked]) == 0
        assert json.loads(capsys.readouterr().out)[0]["target"] == label


def test_no_pipe_is_waited_for_and_no_class_steers_the_terminal(
    model: Path, pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert main(["classify", str(tmp_path / "pipe.png"), "/dev/zero", "--model", str(model)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and all(line.endswith("cannot be read: it is not a regular file.") for line in said)
    copy = shutil.copytree(model, tmp_path / "steering")
    text = (copy / "config.json").read_text()
    (copy / "config.json").write_text(text.replace('"airplane"', r'"\u001b[31mair"'))
    assert main(["classify", str(pictures[0]), "--model", str(copy)]) == 1
    heard = capsys.readouterr()
    assert "classes.0: the name of a class holds control characters" in heard.err and "\x1b" not in heard.out + heard.err
