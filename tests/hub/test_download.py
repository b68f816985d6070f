from __future__ import annotations

import errno
import shutil
from collections import namedtuple

import pytest

from resnet_demo.errors import HubError
from resnet_demo.hub import download

Usage = namedtuple("Usage", "total used free")


def test_a_file_larger_than_the_free_disk_is_refused_as_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 90, 10))
    download.refuse_size("a file", 10, None)
    with pytest.raises(OSError) as refused:
        download.refuse_size("a file", 11, None)
    assert refused.value.errno == errno.ENOSPC
    assert download.sentence("a file", "user/name", refused.value).startswith(
        "The disk is full: there is no room for a file in "
    )


def test_a_hub_that_hides_the_size_cannot_send_more_than_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    class Limited(download.Bar):
        limit = 10

    bar = Limited()
    bar.update(10)
    assert capsys.readouterr().out == '{"done": 10, "total": 10}\n'
    with pytest.raises(HubError, match=r"more than the 0\.0 MB"):
        bar.update(1)
