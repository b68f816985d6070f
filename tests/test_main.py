"""The command line ends with one sentence and an exit status, whatever it is given."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_demo.__main__ import ENDED_BY_SIGPIPE, main
from resnet_demo.files import EXAMPLES

LONG, NOBODY = "a" * 300, "~nobody-of-this-name/folder"
PICTURE = str(EXAMPLES / "astronaut.jpg")
MODELS = [sys.executable, "-m", "resnet_demo", "models"]
FULL = Path("/dev/full")


@pytest.mark.parametrize(
    "command",
    [
        ["classify", PICTURE, "--model", LONG],
        ["classify", PICTURE, "--model", NOBODY],
        ["evaluate", "--model", "resnet20-cifar10", "--data", LONG],
        ["evaluate", "--model", "resnet20-cifar10", "--data", NOBODY],
        ["train", "--data", NOBODY, "--out", "run"],
        ["compare", "--data", NOBODY, "--steps", "60"],
        ["import", PICTURE, "--out", LONG],
        ["publish", LONG, "--repo", "user/name"],
    ],
)
def test_a_path_that_cannot_be_is_one_sentence(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 1
    lines = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("resnet_demo: ")


def test_an_output_that_nobody_reads_ends_the_command_in_silence() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(MODELS, stdout=writing, stderr=subprocess.PIPE, timeout=120)
    os.close(writing)
    assert (done.returncode, done.stderr) == (ENDED_BY_SIGPIPE, b"")


@pytest.mark.skipif(not FULL.exists(), reason="needs Linux's /dev/full")
def test_an_output_on_a_full_disk_is_one_sentence() -> None:
    with FULL.open("w") as full:
        done = subprocess.run(MODELS, stdout=full, stderr=subprocess.PIPE, timeout=120)
    assert (done.returncode, done.stderr) == (1, b"resnet_demo: No space left on device.\n")
