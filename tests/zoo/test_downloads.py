from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from safetensors.torch import save

from resnet_demo.config import ModelConfig
from resnet_demo.errors import WeightsError
from resnet_demo.model.resnet import build
from resnet_demo.zoo.downloads import Download, Downloads
from resnet_demo.zoo.model_cache import ModelCache
from tests.loopback_hub import Fault, LoopbackHub

WEIGHTS = save(build(ModelConfig.named("resnet18", classes=10)).state_dict())


def publish(hub: LoopbackHub, name: str, fault: Fault | None = None) -> None:
    hub.add(name, "config.json", json.dumps({"architecture": "resnet18", "num_classes": 10}).encode())
    hub.add(name, "model.safetensors", WEIGHTS, fault)


def until(downloads: Downloads, source: str, wanted: Callable[[Download], bool]) -> Download:
    """The state of a download once it is as wanted; at most a minute later."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state = downloads.state(source)
        assert state is not None
        if wanted(state):
            return state
        time.sleep(0.01)
    raise AssertionError(f"still {downloads.state(source)}")


def test_a_download_goes_on_outside_the_request_until_the_model_is_at_hand(loopback: LoopbackHub) -> None:
    publish(loopback, "user/name")
    downloads = Downloads(ModelCache())
    assert not downloads.is_local("user/name")
    assert downloads.state("user/name") is None
    assert downloads.start("user/name").state == "waiting"
    ended = until(downloads, "user/name", lambda state: not state.in_progress)
    assert (ended.state, ended.done, ended.total) == ("ready", len(WEIGHTS), len(WEIGHTS))
    assert downloads.is_local("user/name")
    assert Downloads(ModelCache()).is_local("user/name")  # from the cache, after a restart


def test_a_slow_download_tells_its_size_is_joined_by_others_and_can_be_cancelled(loopback: LoopbackHub) -> None:
    publish(loopback, "user/slow", Fault.SLOW)
    downloads = Downloads(ModelCache())
    downloads.start("user/slow")
    seen = until(downloads, "user/slow", lambda state: state.total > 0)
    assert (seen.state, seen.total) == ("downloading", len(WEIGHTS))
    assert downloads.start("user/slow").state == "downloading"
    downloads.cancel("user/slow")
    assert until(downloads, "user/slow", lambda state: not state.in_progress).state == "cancelled"
    assert len([request for request in loopback.requests if request.startswith("GET") and "safetensors" in request]) <= 1
    del loopback.faults["user/slow", "model.safetensors"]
    downloads.start("user/slow")  # and again
    assert until(downloads, "user/slow", lambda state: not state.in_progress).state == "ready"


def test_a_failure_is_a_sentence_and_the_next_try_may_work(loopback: LoopbackHub) -> None:
    publish(loopback, "user/name", Fault.CORRUPTED)
    downloads = Downloads(ModelCache())
    downloads.start("user/name")
    failed = until(downloads, "user/name", lambda state: not state.in_progress)
    assert failed.state == "failed"
    assert failed.message.startswith("model.safetensors of user/name arrived damaged")
    del loopback.faults["user/name", "model.safetensors"]
    downloads.start("user/name")
    assert until(downloads, "user/name", lambda state: not state.in_progress).state == "ready"


def test_without_a_network_the_sentence_names_the_model_and_no_file(
    loopback: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nothing listens
    downloads = Downloads(ModelCache())
    downloads.start("timm/resnet18.tv_in1k")
    failed = until(downloads, "timm/resnet18.tv_in1k", lambda state: not state.in_progress)
    assert failed.message == (
        "ResNet-18 (ImageNet, torchvision's weights) is not on this machine, and the Hugging Face Hub cannot be reached: "
        "try again when there is a network."
    )


def test_a_path_from_a_page_is_refused_before_anything_starts(loopback: LoopbackHub) -> None:
    downloads = Downloads(ModelCache())
    with pytest.raises(WeightsError, match="There is no model '/etc'"):
        downloads.start("/etc")
    with pytest.raises(WeightsError):
        downloads.is_local("/etc")
    assert downloads.state("/etc") is None
