from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import WeightsError
from resnet_demo.hub import fetch
from resnet_demo.model.resnet import build
from resnet_demo.zoo import folder, repository
from resnet_demo.zoo.folder import ModelFolder, Weights, write
from resnet_demo.zoo.model_cache import ModelCache, nbytes


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three small models of the user's own: a, b and c."""
    monkeypatch.setenv("RESNET_DEMO_HOME", str(tmp_path))
    config = ModelConfig.named("resnet8")
    content = ModelFolder(architecture=config, classes=tuple("abcdefghij"), preprocessing=Preprocessing())
    for seed, name in enumerate("abc"):
        write(tmp_path / "models" / name, content, build(config, seed).state_dict(), "")
    return tmp_path / "models"


def size() -> int:
    return sum(tensor.nbytes for tensor in build(ModelConfig.named("resnet8")).state_dict().values())


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes every folder that is really loaded."""
    loaded: list[str] = []
    real = folder.load

    def load(path: Path) -> Weights:
        loaded.append(path.name)
        return real(path)

    monkeypatch.setattr(folder, "load", load)
    return loaded


def test_a_model_is_loaded_once_even_when_many_ask_at_the_same_moment(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, shared, start = counted(monkeypatch), ModelCache(), threading.Barrier(16)

    def ask(_: int) -> Weights:
        start.wait()
        return shared.get("a")

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(ask, range(16)))
    assert len({id(answer) for answer in answers}) == 1
    assert loaded == ["a"]
    assert not answers[0].model.training


def test_the_least_recently_used_leaves_when_the_budget_is_exceeded(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, small = counted(monkeypatch), ModelCache(budget=2 * size())
    first = small.get("a")
    assert nbytes(first.model) == size()
    small.get("b")
    assert small.used == 2 * size()
    small.get("a")  # now b is the least recently used
    small.get("c")
    assert small.used == 2 * size()
    assert small.get("a") is first
    assert loaded == ["a", "b", "c"]
    small.get("b")
    assert loaded == ["a", "b", "c", "b"]


def test_a_model_larger_than_the_budget_is_lent_all_the_same(models: Path) -> None:
    tiny = ModelCache(budget=1)
    assert tiny.get("a").name == "a"
    assert tiny.is_loaded("a")
    tiny.get("b")
    assert not tiny.is_loaded("a")


def test_a_folder_that_was_written_anew_is_loaded_anew(models: Path) -> None:
    shared = ModelCache()
    first = shared.get("a")
    weights = models / "a" / "model.safetensors"
    weights.write_bytes((models / "b" / "model.safetensors").read_bytes())
    second = shared.get("a")
    assert second is not first
    assert second.model.conv1.weight.equal(shared.get("b").model.conv1.weight)
    os.utime(models / "a" / "config.json", (1, 1))  # it holds the preprocessing and the names of the classes
    assert shared.get("a") is not second


def test_a_model_that_failed_to_load_fails_for_all_who_wait_and_can_be_asked_for_again(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (models / "a" / "model.safetensors").read_bytes()
    (models / "a" / "model.safetensors").write_bytes(b"")
    shared = ModelCache()
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(shared.get, "a") for _ in range(4)]
        assert all(isinstance(answer.exception(), WeightsError) for answer in asked)
    (models / "a" / "model.safetensors").write_bytes(content)
    assert shared.get("a").name == "a"


def test_who_waits_for_a_download_that_another_cancelled_downloads_it_himself(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_waits, second_waits, calls = threading.Event(), threading.Event(), []

    def load(source: str, *, on_progress: fetch.Progress | None, should_cancel: Callable[[], bool]) -> Weights:
        calls.append(source)
        if len(calls) == 1:
            first_waits.set()
            second_waits.wait(10)
            raise fetch.DownloadCancelled("cancelled")
        return folder.load(models / "a")

    def second() -> Weights:
        first_waits.wait(10)

        def should_cancel() -> bool:  # asked only while it waits for the first
            second_waits.set()
            return False

        return shared.get("user/name", should_cancel=should_cancel)

    monkeypatch.setattr(repository, "load", load)
    shared = ModelCache()
    with ThreadPoolExecutor(2) as threads:
        one, two = threads.submit(shared.get, "user/name"), threads.submit(second)
        assert isinstance(one.exception(), fetch.DownloadCancelled)
        assert two.result().classes == tuple("abcdefghij")
    assert calls == ["user/name"] * 2


def test_who_waits_may_give_up(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()

    def load(source: str, **_: object) -> Weights:
        begun.set()
        ended.wait(10)
        return folder.load(models / "a")

    monkeypatch.setattr(repository, "load", load)
    shared = ModelCache()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(shared.get, "user/name")
        begun.wait(10)
        with pytest.raises(fetch.DownloadCancelled):
            shared.get("user/name", should_cancel=lambda: True)
        ended.set()
        assert first.result().name == "a"


def test_a_cache_has_room_by_default() -> None:
    assert ModelCache().budget > 0
