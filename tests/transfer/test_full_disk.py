"""A transfer on a full disk: a sentence, nothing half-made, and it goes on once there is room. The pattern is that of test_disk.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from resnet_demo.training import session
from resnet_demo.training.events import RunFailed, RunFinished, TransferMeasured
from resnet_demo.training.record import Record
from resnet_demo.transfer.features import FeatureCache
from resnet_demo.transfer.preparation import preparation_of
from tests.test_disk import half_made, no_file_over
from tests.transfer.conftest import Run


def test_a_transfer_without_room_for_its_network_ends_in_a_sentence_and_goes_on(transfer: Run, tmp_path: Path) -> None:
    config = transfer(unfreeze=1)
    with no_file_over(20_000):  # room for the record and the features, not for the checkpoint and the weights
        last = list(session.run(config, tmp_path, prepare=preparation_of(config)))[-1]
    assert isinstance(last, RunFailed)
    assert last.reason == "The disk is full. Make room where the runs are kept, then continue the run."
    assert not half_made(tmp_path) and not list(tmp_path.rglob("*.safetensors"))
    assert Record(tmp_path).read()[0][-1] == last
    events = list(session.run(config, tmp_path, resume=True, prepare=preparation_of(config)))
    assert isinstance(events[-1], RunFinished)
    assert [event.kind for event in events if isinstance(event, TransferMeasured)] == ["transfer"]


def test_features_without_room_are_not_kept_and_the_transfer_does_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = FeatureCache(tmp_path)
    with no_file_over(100):
        cache.put("key", torch.zeros(32, 16))
    assert cache.get("key", (32, 16)) is None and not list(tmp_path.iterdir())
    assert "could not be kept" in caplog.text
