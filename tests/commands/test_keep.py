"""A finished run becomes a model folder whose card tells the truth."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from resnet_demo.__main__ import main, parser
from resnet_demo.commands.train import run_config
from resnet_demo.config import RunConfig
from resnet_demo.paper.responses import RESPONSES, Responses
from resnet_demo.parsing import parse
from resnet_demo.results.card import command
from resnet_demo.training.events import from_line
from resnet_demo.zoo import folder
from tests.tiny import ENVIRONMENT

TRAIN = ["train", "--arch", "resnet8", "--plain", "--width", "4", "--steps", "4", "--batch", "8", "--precision", "fp32"]


@pytest.fixture
def kept(tmp_path: Path, picture_folder: Path) -> Path:
    assert main([*TRAIN, "--data", str(picture_folder), "--image-size", "16", "--out", str(tmp_path / "run")]) == 0
    assert main(["keep", str(tmp_path / "run"), "--name", "tiny", "--to", str(tmp_path / "models")]) == 0
    return tmp_path / "models" / "tiny"


def test_a_kept_run_is_a_model_with_its_measured_accuracy_and_its_record(kept: Path) -> None:
    content, weights = folder.read_config(kept), folder.load(kept)
    assert weights.classes == ("blue", "green", "red")
    events = [from_line(line) for line in (kept / "record.jsonl").read_bytes().splitlines()]
    measured = [event for event in events if event.kind == "measured"]
    assert content.test_accuracy == pytest.approx(1 - measured[-1].error)
    assert f"{content.test_accuracy:.2%}" in (kept / "README.md").read_text()


def test_a_run_that_has_not_ended_is_not_kept(kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / "run" / "events.jsonl"
    record.write_bytes(b"".join(record.read_bytes().splitlines(keepends=True)[:-1]))
    assert main(["keep", str(tmp_path / "run"), "--name", "early", "--to", str(tmp_path / "models")]) == 1
    assert "A model card describes a run that has finished or was stopped" in capsys.readouterr().err
    assert not (tmp_path / "models" / "early").exists()


def test_half_the_bytes_are_measured_after_rounding(kept: Path, tmp_path: Path) -> None:
    assert main(["keep", str(tmp_path / "run"), "--name", "half", "--half", "--to", str(tmp_path / "models")]) == 0
    half = tmp_path / "models" / "half"
    stored = load_file(half / folder.WEIGHTS)
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16, torch.int64}
    whole, rounded = (folder.load(path).model.state_dict() for path in (kept, half))
    for name, tensor in whole.items():
        torch.testing.assert_close(rounded[name], tensor, rtol=2**-11, atol=2**-25, check_dtype=False)
        assert rounded[name].dtype == tensor.dtype
    assert "rounded to float16" in (half / "README.md").read_text() and "float16" not in (kept / "README.md").read_text()


def test_a_network_for_cifar_10_is_kept_with_the_responses_of_its_layers(kept: Path, tmp_path: Path) -> None:
    assert not (kept / RESPONSES).exists()  # trained on other pictures
    assert main([*TRAIN, "--data", "bundled", "--image-size", "16", "--out", str(tmp_path / "cifar")]) == 0
    assert main(["keep", str(tmp_path / "cifar"), "--name", "cifar", "--to", str(tmp_path / "models")]) == 0
    responses = parse(Responses, (tmp_path / "models" / "cifar" / RESPONSES).read_text())
    assert len(responses.layers) == len(responses.deviations) == 7


def test_the_command_on_a_card_gives_the_same_run(kept: Path, tmp_path: Path) -> None:
    config = RunConfig.model_validate_json((tmp_path / "run" / "config.json").read_text())
    line = command(config.arms[0], config)
    assert line in (kept / "README.md").read_text()
    parsed = parser().parse_args(shlex.split(line.removeprefix("python -m resnet_demo ")))
    assert run_config(parsed) == config


def test_keep_can_be_given_again_after_the_data_was_out_of_reach(tmp_path: Path, picture_folder: Path) -> None:
    pictures = tmp_path / "pictures"
    shutil.copytree(picture_folder, pictures)
    assert main([*TRAIN, "--data", str(pictures), "--image-size", "16", "--out", str(tmp_path / "run")]) == 0
    keep = ["keep", str(tmp_path / "run"), "--name", "tiny", "--to", str(tmp_path / "models")]
    pictures.rename(tmp_path / "elsewhere")
    assert main(keep) == 1
    assert not (tmp_path / "models").exists()
    (tmp_path / "elsewhere").rename(pictures)
    assert main(keep) == 0
    assert (tmp_path / "models" / "tiny" / "README.md").exists()


def test_a_run_without_weights_is_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keep", str(tmp_path / "nothing"), "--name", "x"]) == 1
    assert "There is no run in" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="a limit on the size of files stands for a full disk")
def test_keep_on_a_full_disk_ends_in_one_sentence_and_leaves_nothing(tmp_path: Path, picture_folder: Path) -> None:
    assert main([*TRAIN, "--data", str(picture_folder), "--image-size", "16", "--out", str(tmp_path / "run")]) == 0
    keep = f"ulimit -f 4; exec {sys.executable} -m resnet_demo keep {tmp_path / 'run'} --name tiny --to {tmp_path / 'models'}"
    quiet = ENVIRONMENT | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(["bash", "-c", keep], env=quiet, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr == (
        f"resnet_demo: tiny could not be kept in {tmp_path / 'models'} (File too large): make room there, or look who may "
        "write there.\n"
    )
    assert not list((tmp_path / "models").iterdir())
