from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest

from resnet_demo.files import open_regular, read_text, write_atomically


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


def test_two_threads_may_write_one_file_at_the_same_moment(tmp_path: Path) -> None:
    both_write = threading.Barrier(2, timeout=10)

    def content(file: IO[bytes]) -> None:
        file.write(b"whole")
        both_write.wait()

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(write_atomically, tmp_path / "file", content) for _ in range(2)]:
            done.result()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"whole"
