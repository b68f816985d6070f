"""The run that the teacher shows to everyone."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.config import RunConfig
from resnet_demo.errors import RunError, SettingError
from resnet_demo.runs import pin
from resnet_demo.runs.controls import controls_for, initial_run, newest_run, shown_runs
from resnet_demo.runs.pin import Pin
from tests.runs.stand_in import Opened
from tests.tiny import tiny_run

RUN = "20260131-235959-3f9c01"


@pytest.fixture
def config(picture_folder: Path) -> RunConfig:
    return tiny_run(picture_folder)


def submit(opened: Opened, config: RunConfig, *visitors: str) -> list[str]:
    """The ids of new runs, the oldest first."""
    return sorted(opened.lab.submit(config, visitor) for visitor in visitors)


def test_a_pinned_run_is_found_again_and_what_cannot_be_read_pins_none(tmp_path: Path) -> None:
    path = tmp_path / "pin.json"
    assert Pin(path).run == ""
    Pin(path).move(RUN)
    assert Pin(path).run == RUN
    Pin(path).move("")
    assert Pin(path).run == ""
    for content in (b"", b"\xff", b"[1]", b"{", b'"../../etc"', f'["{RUN}"]'.encode(), b"[" * 100_000):
        path.write_bytes(content)
        assert Pin(path).run == ""
    assert [file.name for file in tmp_path.iterdir()] == ["pin.json"]


def test_pages_without_a_run_of_their_own_open_with_the_pinned_one_and_the_list_marks_it(
    opened: Opened, config: RunConfig, tmp_path: Path
) -> None:
    lab = opened.lab
    first, second = submit(opened, config, "a", "b")
    lab.pin(first, "b", "teacher")
    assert (lab.pinned, initial_run(lab, ""), initial_run(lab, second), newest_run(lab)) == (first, first, second, second)
    marked = {row[-1]: str(row[0]).endswith(" (shown to everyone)") for row in controls_for(lab, second).rows}
    assert marked == {first[-6:]: True, second[-6:]: False}
    assert Opened(tmp_path).lab.pinned == first  # after a restart
    lab.stop(first, "", "teacher")
    lab.delete(first, "", "teacher")
    assert (lab.pinned, initial_run(lab, "")) == ("", second)


def test_only_the_teacher_pins_and_the_sentence_repeats_no_token(opened: Opened, config: RunConfig) -> None:
    (run,) = submit(opened, config, "a")
    for token in (None, "", "a-guess", "teacher\x00", "téacher", 7):
        for act in (lambda: opened.lab.pin(run, "a", token), lambda: opened.lab.unpin(token)):  # noqa: B023
            with pytest.raises(SettingError, match="the teacher's token, printed where the app was started") as refused:
                act()
            assert "guess" not in str(refused.value)
    assert opened.lab.pinned == ""
    with pytest.raises(SettingError, match="There is no run"):
        opened.lab.pin(RUN, "a", "teacher")


def test_a_pin_that_cannot_be_written_is_refused_in_a_sentence_and_changes_nothing(
    opened: Opened, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = submit(opened, config, "a", "b")
    opened.lab.pin(first, "", "teacher")

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pin, "write_atomically", full)
    with pytest.raises(RunError):
        opened.lab.pin(second, "", "teacher")
    with pytest.raises(RunError):
        opened.lab.unpin("teacher")
    assert opened.lab.pinned == first


def test_without_a_pin_the_projector_follows_each_run_as_it_begins_to_train(opened: Opened, config: RunConfig) -> None:
    lab = opened.lab
    assert shown_runs(lab) == {"pinned": "", "latest": ""}
    first, second = submit(opened, config, "a", "b")
    assert shown_runs(lab)["latest"] == second  # none has begun: the newest
    opened.worker.ready()
    trained = opened.worker.trains()
    assert shown_runs(lab)["latest"] == trained[0]
    opened.done(trained[0])
    assert shown_runs(lab)["latest"] == opened.worker.trains()[1] != trained[0]
    lab.pin(first, "", "teacher")
    assert shown_runs(lab)["pinned"] == first
    lab.unpin("teacher")
    assert shown_runs(lab)["pinned"] == ""
