"""What every test may rely on: two threads, no network, runs and models in a folder that is thrown away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# Read by the libraries when they are first imported, so set before any test module is.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("NO_PROXY", "localhost,127.0.0.1")

import numpy
import pytest
import torch
from PIL import Image

from tests.loopback_hub import LoopbackHub

THREADS = 2


@pytest.fixture(scope="session", autouse=True)
def isolated_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """RESNET_DEMO_HOME for the whole session, inherited by processes that tests start."""
    torch.set_num_threads(THREADS)
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESNET_DEMO_HOME", str(home))
        yield home


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the tests marked `cifar10` where the real set is in no Hub cache."""
    if item.get_closest_marker("cifar10") and not cifar10_is_cached():
        pytest.skip("the real CIFAR-10 is in no Hub cache here (set HF_HUB_CACHE to one)")


def cifar10_is_cached() -> bool:
    """Whether both files of the real CIFAR-10 can be had without a network."""
    from huggingface_hub import try_to_load_from_cache

    files = (f"plain_text/{part}-00000-of-00001.parquet" for part in ("train", "test"))
    return all(isinstance(try_to_load_from_cache("uoft-cs/cifar10", file, repo_type="dataset"), str) for file in files)


def write_pictures(folder: Path, colour: tuple[int, int, int], count: int, side: int = 12) -> None:
    """Noisy pictures around one colour, so that a network can learn to tell folders apart in a few steps."""
    folder.mkdir(parents=True)
    generator = numpy.random.default_rng(sum(colour))
    for number in range(count):
        noise = generator.integers(-30, 31, (side, side, 3))
        pixels = numpy.clip(noise + numpy.array(colour), 0, 255).astype(numpy.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}.png")


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of one's own: folders blue, green and red of ten pictures of 12×12 each. Read it, don't change it."""
    root = tmp_path_factory.mktemp("data") / "colours"
    for name, colour in (("red", (200, 40, 40)), ("green", (40, 200, 40)), ("blue", (40, 40, 200))):
        write_pictures(root / name, colour, 10)
    return root


@pytest.fixture
def loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A Hub on this machine and an empty cache, for this process and those that it starts."""
    from huggingface_hub import constants

    cache = tmp_path / "hub-cache"
    with LoopbackHub() as hub:
        given = {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
        for name, value in given.items():
            monkeypatch.setenv(name, value)  # read by processes that are started
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))  # this one has read them already
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        yield hub
