"""The real client against a Hub on this machine."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from resnet_demo.errors import HubError
from resnet_demo.hub import fetch
from tests.loopback_hub import Fault, LoopbackHub

CONTENT = os.urandom(3_000_000)


def leftovers(cache: Path) -> list[Path]:
    """Files of the cache that hold content, whole or in part."""
    return [path for path in cache.rglob("blobs/*") if path.is_file()]


def test_a_file_comes_over_the_network_once_and_from_the_cache_afterwards(loopback: LoopbackHub) -> None:
    loopback.add("user/name", "model.safetensors", CONTENT)
    assert fetch.cached_file("user/name", "model.safetensors") is None
    assert fetch.fetch_file("user/name", "model.safetensors").read_bytes() == CONTENT
    asked = len(loopback.requests)
    assert asked > 0
    assert fetch.fetch_file("user/name", "model.safetensors").read_bytes() == CONTENT
    assert len(loopback.requests) == asked


def test_a_data_set_comes_from_its_own_place(loopback: LoopbackHub) -> None:
    loopback.add("datasets/user/pictures", "plain_text/test.parquet", b"rows")
    assert fetch.fetch_file("user/pictures", "plain_text/test.parquet", "dataset").read_bytes() == b"rows"


def test_the_size_is_told_first_and_the_progress_rises_to_it(loopback: LoopbackHub) -> None:
    loopback.add("user/name", "model.safetensors", CONTENT)
    told: list[tuple[int, int]] = []
    fetch.fetch_file("user/name", "model.safetensors", on_progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)
    assert len(told) > 10


def test_a_larger_file_than_asked_for_is_refused_before_it_is_downloaded(loopback: LoopbackHub) -> None:
    loopback.add("user/name", "model.safetensors", CONTENT)
    with pytest.raises(HubError, match=r"model.safetensors of user/name has 3.0 MB; what was asked for has at most 1.0 MB."):
        fetch.fetch_file("user/name", "model.safetensors", max_bytes=1_000_000)
    assert not [request for request in loopback.requests if request.startswith("GET")]


def test_a_connection_that_breaks_is_taken_up_where_it_broke(loopback: LoopbackHub) -> None:
    loopback.add("user/name", "model.safetensors", CONTENT, Fault.BROKEN)
    assert fetch.fetch_file("user/name", "model.safetensors").read_bytes() == CONTENT
    assert len([request for request in loopback.requests if request.startswith("GET")]) == 2


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault.SHORT, r"model.safetensors of user/name arrived incomplete and was removed: try again."),
        (Fault.CORRUPTED, r"model.safetensors of user/name arrived damaged \(its SHA-256 is not the one .* and was removed"),
        (Fault.GATED, r"user/name is gated: accept its terms at http://127.0.0.1:\d+/user/name, then log in"),
        (Fault.PRIVATE, r"There is no repository user/name at http://127.0.0.1:\d+, or it is private"),
        (Fault.DOWN, r"answered 503 when asked for model.safetensors of user/name: try again later"),
    ],
)
def test_what_the_hub_does_wrong_is_told_in_a_sentence_and_leaves_nothing_in_the_cache(
    loopback: LoopbackHub, tmp_path: Path, fault: Fault, sentence: str
) -> None:
    loopback.add("user/name", "model.safetensors", CONTENT, fault)
    with pytest.raises(HubError, match=sentence):
        fetch.fetch_file("user/name", "model.safetensors")
    assert fetch.cached_file("user/name", "model.safetensors") is None
    assert leftovers(tmp_path) == []
    del loopback.faults["user/name", "model.safetensors"]
    assert fetch.fetch_file("user/name", "model.safetensors").read_bytes() == CONTENT  # and the next try works


def test_a_missing_file_and_a_missing_repository_are_told_apart(loopback: LoopbackHub) -> None:
    loopback.add("user/name", "config.json", b"{}")
    with pytest.raises(HubError, match=r"There is no file model.safetensors of user/name at"):
        fetch.fetch_file("user/name", "model.safetensors")
    with pytest.raises(HubError, match="There is no repository user/other at"):
        fetch.fetch_file("user/other", "model.safetensors")


def test_a_server_that_sends_a_byte_a_second_does_not_hold_us(loopback: LoopbackHub, tmp_path: Path) -> None:
    loopback.add("user/name", "model.safetensors", CONTENT, Fault.SLOW)
    started = time.monotonic()
    with pytest.raises(HubError, match=r"sent only [\d,]+ bytes of model.safetensors of user/name in 4 seconds"):
        fetch.fetch_file("user/name", "model.safetensors", patience=4)
    assert time.monotonic() - started < 12
    assert leftovers(tmp_path) == []


def test_a_download_is_cancelled_and_cleaned_up(loopback: LoopbackHub, tmp_path: Path) -> None:
    loopback.add("user/name", "model.safetensors", CONTENT, Fault.SLOW)
    begun = threading.Event()
    with pytest.raises(fetch.DownloadCancelled, match=r"The download of model.safetensors of user/name was cancelled."):
        fetch.fetch_file("user/name", "model.safetensors", on_progress=lambda *_: begun.set(), should_cancel=begun.is_set)
    assert leftovers(tmp_path) == []


def test_offline_is_told_at_once(loopback: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    loopback.add("user/name", "model.safetensors", CONTENT)
    with pytest.raises(HubError, match="is not in the local cache, and HF_HUB_OFFLINE is set"):
        fetch.fetch_file("user/name", "model.safetensors")
    assert loopback.requests == []


def test_a_hub_that_cannot_be_reached_is_told_within_seconds(loopback: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nothing listens
    started = time.monotonic()
    with pytest.raises(
        fetch.HubUnreachable, match=r"the Hugging Face Hub \(http://127.0.0.1:9\) cannot be reached: check the network"
    ):
        fetch.fetch_file("user/name", "model.safetensors")
    assert time.monotonic() - started < 10


def test_a_cached_file_that_was_damaged_later_is_fetched_anew(loopback: LoopbackHub) -> None:
    loopback.add("user/name", "model.safetensors", CONTENT)
    path = fetch.fetch_file("user/name", "model.safetensors")
    path.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    assert fetch.cached_file("user/name", "model.safetensors") is None
    assert fetch.fetch_file("user/name", "model.safetensors").read_bytes() == CONTENT


def test_a_name_that_is_no_repository_is_refused(loopback: LoopbackHub) -> None:
    with pytest.raises(HubError, match="is not a repository of the Hugging Face Hub: name one as user/name"):
        fetch.fetch_file("a/b/c", "model.safetensors")


def test_the_child_s_own_end_is_told(loopback: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "nonsense")  # the client refuses to be imported
    with pytest.raises(HubError, match=r"The download of model.safetensors of user/name broke off: "):
        fetch.fetch_file("user/name", "model.safetensors")
