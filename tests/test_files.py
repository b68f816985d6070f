from __future__ import annotations

import os
from pathlib import Path

import pytest

from resnet_demo.files import open_regular, read_text


def test_only_a_regular_file_is_opened_and_nothing_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    os.mkfifo(tmp_path / "fifo")
    with open_regular(tmp_path / "file") as file:
        assert file.read() == b"content"
    for path in (tmp_path, tmp_path / "fifo", Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            open_regular(path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "missing")


def test_a_text_is_read_up_to_a_size(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("naïve")
    assert read_text(tmp_path / "text", at_most=6) == "naïve"
    with pytest.raises(OSError, match="more than 5 bytes"):
        read_text(tmp_path / "text", at_most=5)
