"""Publishing with the real client, to a Hub on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from resnet_demo.__main__ import main
from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.model.resnet import build
from resnet_demo.zoo import repository
from resnet_demo.zoo.folder import ModelFolder, write
from resnet_demo.zoo.publishing import card_with_front_matter
from tests.loopback_hub import LoopbackHub

CONFIG = ModelConfig.named("resnet8")
CONTENT = ModelFolder(
    architecture=CONFIG, classes=tuple("abcdefghij"), preprocessing=Preprocessing(), trained_on="CIFAR-10", licence="Apache-2.0"
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write(tmp_path / "mine", CONTENT, build(CONFIG, seed=4).state_dict(), "# Mine\n")
    (tmp_path / "mine" / "record.jsonl").write_text("{}\n")
    (tmp_path / "mine" / "private-notes.txt").write_text("not to be published")
    return tmp_path / "mine"


@pytest.fixture
def login(loopback: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> LoopbackHub:
    """The client reads the endpoint when it is imported; the upload runs in this process."""
    monkeypatch.setenv("HF_TOKEN", "hf_loopback")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", loopback.url)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    return loopback


@pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # the client uses its HTTP library in an old way
def test_what_is_published_is_loaded_again_by_its_id(
    login: LoopbackHub, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", str(model), "--repo", "user/mine"]) == 0
    assert capsys.readouterr().out.startswith(f"{login.url}/user/mine/commit/")
    assert login.created == ["user/mine"]
    published = {file for repo, file in login.files if repo == "user/mine"}
    assert published == {"config.json", "model.safetensors", "README.md", "record.jsonl"}
    card = login.files["user/mine", "README.md"].decode()
    assert card.startswith("---\nlibrary_name: resnet-lab\npipeline_tag: image-classification\n")
    assert card.endswith("---\n\n# Mine\n")
    weights = repository.load("user/mine")
    expected = build(CONFIG, seed=4).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights.model.state_dict().items())


def test_a_card_names_licence_and_data() -> None:
    card = card_with_front_matter(CONTENT, "# Mine")
    assert "license: apache-2.0\n" in card
    assert "datasets: [uoft-cs/cifar10]\n" in card
    assert card_with_front_matter(CONTENT, card) == card


def test_a_wrong_token_is_told(
    login: LoopbackHub, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    assert main(["publish", str(model), "--repo", "user/mine"]) == 1
    assert "answered 401 when user/mine was published: log in with a token that may write there" in capsys.readouterr().err


def test_without_a_login_nothing_is_sent(
    login: LoopbackHub, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    assert main(["publish", str(model), "--repo", "user/mine"]) == 1
    assert "run `hf auth login`" in capsys.readouterr().err
    assert login.requests == []


def test_a_broken_model_does_not_leave(login: LoopbackHub, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (model / "model.safetensors").write_bytes(b"")
    assert main(["publish", str(model), "--repo", "user/mine"]) == 1
    assert "cannot be read as safetensors" in capsys.readouterr().err
    assert login.requests == []


def test_a_card_that_is_no_text_is_told(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (model / "README.md").write_bytes(b"\xff")
    assert main(["publish", str(model), "--repo", "user/mine"]) == 1
    assert "README.md is not a text file." in capsys.readouterr().err


def test_a_hub_that_cannot_be_reached_is_told(
    login: LoopbackHub, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert main(["publish", str(model), "--repo", "user/mine"]) == 1
    assert "cannot be reached: check the network, then publish again." in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mine", "a/b/c"])
def test_a_name_that_is_no_repository_is_told(
    login: LoopbackHub, model: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", str(model), "--repo", name]) == 1
    assert "is not a repository of the Hugging Face Hub: name one as user/name" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # as above
def test_a_transfer_is_published_from_its_folder_and_once_kept_by_its_name(
    login: LoopbackHub, model: Path, picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESNET_DEMO_HOME", str(tmp_path / "home"))
    options = [
        "--base",
        str(model),
        "--data",
        str(picture_folder),
        "--epochs",
        "1",
        "--image-size",
        "16",
        "--precision",
        "fp32",
    ]
    assert main(["transfer", *options, "--out", str(tmp_path / "run")]) == 0
    assert main(["publish", str(tmp_path / "run"), "--repo", "user/colours"]) == 0
    weights = repository.load("user/colours")
    assert weights.classes == ("blue", "green", "red")
    card = login.files["user/colours", "README.md"].decode()
    assert card.startswith("---\nlibrary_name: resnet-lab\n") and "python -m resnet_demo transfer --base" in card
    assert main(["keep", str(tmp_path / "run"), "--name", "colours"]) == 0
    assert main(["publish", "colours", "--repo", "user/kept"]) == 0
    assert torch.equal(repository.load("user/kept").model.fc.weight, weights.model.fc.weight)
