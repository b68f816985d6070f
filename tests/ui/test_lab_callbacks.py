"""The Lab tab's callbacks without a page: what they say when there is nothing to show or to take over."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from resnet_demo.comparison import LabSettings
from resnet_demo.ui.lab_callbacks import LabCallbacks, blocks_of
from resnet_demo.ui.run_callbacks import show
from tests.runs.stand_in import Opened
from tests.tiny import tiny_run


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    return Opened(tmp_path)


def test_a_run_that_is_deleted_while_it_is_looked_at_leaves_an_empty_view(
    opened: Opened, picture_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = opened.lab
    run = lab.submit(tiny_run(picture_folder), "a")
    lab.stop(run, "a")
    listed = lab.runs()
    assert [state.status for state in listed] == ["stopped"]
    lab.delete(run, "a")
    monkeypatch.setattr(lab, "runs", lambda: listed)  # they were listed a moment before
    said, *buttons, arms, others, rows = LabCallbacks(lab).refresh(show(run, []))
    assert (said, rows, arms.choices, others.choices) == ("", [], [], [])
    assert [button.interactive for button in buttons] == [False] * 6


def test_taking_over_the_settings_of_what_is_no_comparison_is_refused_in_a_sentence(
    opened: Opened, picture_folder: Path
) -> None:
    run = opened.lab.submit(tiny_run(picture_folder), "a")
    with pytest.raises(gr.Error, match="This run is no comparison of the lab"):
        LabCallbacks(opened.lab).take_over(show(run, []))


def test_describing_settings_lets_the_trainer_time_their_networks(opened: Opened) -> None:
    opened.worker.ready()
    opened.worker.on_reply({"measured": [], "failed": []})
    text, *_ = LabCallbacks(opened.lab).describe("", *LabSettings(depth=56).model_dump().values())
    assert "Its networks are being timed" in text
    assert {arm["model"]["depth"] for arm in opened.worker.commands[-1]["config"]["arms"]} == {56}


def test_the_blocks_are_those_of_the_depths_the_width_and_the_pictures_of_the_settings() -> None:
    value = blocks_of(LabSettings(depth=56, other_depth=20, width=8, image_size=16, shortcut="B", batch_norm=False))
    assert [network["name"] for network in value["networks"]] == ["resnet20", "resnet56"]
    assert value["selected"] == "resnet56"
    _, first, second, *_ = value["networks"][1]["stages"]
    assert first["output"] == (8, 16, 16)
    assert second["blocks"][0]["shortcut"] == "1×1, 16 filters, stride 2"
    assert value["networks"][0]["note"].startswith("There is no batch normalization here.")
