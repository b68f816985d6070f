"""A child process exchanges lines of JSON with its parent, is asked to end, and is killed if it does not."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from resnet_demo import child_process
from resnet_demo.child_process import ChildProcess, child_environment, exit_sentence

ECHO = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"echo": json.loads(line)}), flush=True)
print(json.dumps({"ended": sys.argv[1:]}), flush=True)
"""
DEAF = """
import signal, sys, time
print('{"ready": true}', flush=True)
while True:
    time.sleep(60)
"""
FAILS = """
import sys
sys.exit("first line\\nit broke")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that children find; the test writes it."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return str(tmp_path / "child_of_a_test.py")


def test_commands_are_answered_line_by_line_until_the_child_is_asked_to_end(module: str) -> None:
    Path(module).write_text(ECHO)
    with ChildProcess("child_of_a_test", "one", "two") as child:
        assert child.send({"a": 1})
        assert child.receive(timeout=30) == {"echo": {"a": 1}}
        with pytest.raises(TimeoutError):
            child.receive(timeout=0.01)
        child.ask_to_end()
        assert list(child.messages()) == [{"ended": ["one", "two"]}]
        assert child.receive(timeout=0) is None
        assert not child.send({"a": 2})
        assert child.wait() == 0


def test_a_child_that_does_not_end_is_killed(module: str) -> None:
    Path(module).write_text(DEAF)
    child = ChildProcess("child_of_a_test")
    assert child.receive(timeout=30) == {"ready": True}
    child.close(seconds=0.1)
    assert child.wait() == -signal.SIGKILL


def test_the_last_error_line_of_a_child_that_fails_are_kept(module: str) -> None:
    Path(module).write_text(FAILS)
    with ChildProcess("child_of_a_test", keep_stderr=True) as child:
        assert child.receive(timeout=30) is None
        assert child.wait() == 1
        assert child.last_error_line() == "it broke"


def test_a_child_finds_the_package_and_the_operators_environment_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    environment = child_environment({"OMP_NUM_THREADS": "6"})
    assert environment["OMP_NUM_THREADS"] == "6"
    assert environment["PYTHONPATH"] == f"{child_process.PACKAGE_ROOT}{os.pathsep}/elsewhere"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert child_environment({"OMP_NUM_THREADS": "6"})["OMP_NUM_THREADS"] == "3"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_how_a_child_ended_is_said_in_words() -> None:
    assert exit_sentence(3) == "exit status 3"
    assert exit_sentence(-signal.SIGTERM) == "killed by SIGTERM"
    assert exit_sentence(-signal.SIGKILL) == "killed by SIGKILL, perhaps because the memory was full"
