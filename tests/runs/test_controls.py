"""What stands around the curves, and what a visitor is told before a run is started."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from huggingface_hub import constants

from resnet_demo.__main__ import main
from resnet_demo.comparison import PRESETS, LabSettings, comparison, from_outside
from resnet_demo.config import RunConfig
from resnet_demo.data import cifar10
from resnet_demo.runs.controls import Controls, controls_for, initial_run
from resnet_demo.runs.forecast import forecast, link
from resnet_demo.runs.updates import updates_since
from resnet_demo.training import session
from resnet_demo.training.events import Progress
from tests.loopback_hub import LoopbackHub
from tests.runs.stand_in import Opened
from tests.tiny import tiny_run


@pytest.fixture
def config(picture_folder: Path) -> RunConfig:
    return tiny_run(picture_folder)


def test_what_can_be_done_follows_from_how_the_run_stands(opened: Opened, config: RunConfig) -> None:
    lab = opened.lab
    assert controls_for(lab, "") == Controls((), ())
    run = lab.submit(config, "a")
    waiting = controls_for(lab, run)
    assert (waiting.can_stop, waiting.can_pause, waiting.can_continue, waiting.can_repeat) == (True, False, False, False)
    assert (waiting.sentence, waiting.arms, waiting.others) == ("", (), ())
    opened.worker.ready()
    running = controls_for(lab, run)
    assert (running.can_stop, running.can_pause, running.can_continue, running.can_repeat) == (True, True, False, False)
    for _ in session.run(config, lab.folder / run, resume=True):
        pass
    opened.done(run)
    done = controls_for(lab, run)
    assert (done.can_stop, done.can_pause, done.can_continue, done.can_repeat) == (False, False, False, True)
    assert done.arms == ("plain8", "residual8")
    assert done.sentence.startswith("After 12 steps")
    assert [row[1:4] for row in done.rows] == [("plain8", "finished", 12), ("residual8", "finished", 12)]
    assert {row[-1] for row in done.rows} == {run[-6:]}
    beside = controls_for(lab, "another")
    assert beside.others == ((f" ({run})", run),)
    assert beside.rows == done.rows


def test_a_run_that_is_deleted_while_a_page_asks_is_left_out(
    opened: Opened, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = opened.lab
    kept, deleted = lab.submit(config, "a"), lab.submit(config, "b")
    listed = lab.runs()
    lab.stop(deleted, "b")
    lab.delete(deleted, "b")
    monkeypatch.setattr(lab, "runs", lambda: listed)
    assert {row[-1] for row in controls_for(lab, kept).rows} == {kept[-6:]}
    gone = controls_for(lab, deleted)
    assert (gone.sentence, gone.can_stop, gone.arms) == ("", False, ())
    assert {row[-1] for row in gone.rows} == {kept[-6:]}


def test_a_page_opens_with_the_run_of_its_link_else_with_the_newest(opened: Opened, config: RunConfig) -> None:
    assert initial_run(opened.lab, "") == ""
    runs = sorted(opened.lab.submit(config, visitor) for visitor in ("a", "b"))
    assert initial_run(opened.lab, runs[0]) == runs[0]
    assert initial_run(opened.lab, "20200101-000000-abcdef") == runs[1]


def test_a_watcher_is_told_classes_and_share_of_the_papers_training(opened: Opened, config: RunConfig) -> None:
    result = updates_since(opened.lab, opened.lab.submit(config, "a"))["state"]
    assert result["classes"] == 3
    assert result["share_of_paper"] == 12 * 8 / (64_000 * 128)


def test_a_forecast_says_how_long_and_how_much(opened: Opened) -> None:
    settings = LabSettings(depth=8, image_size=16, steps=310, batch=64)
    result = forecast(opened.lab, settings)
    assert (result.is_measured, result.preset) == (False, None)
    assert result.text == (
        "How long it takes here is not known yet: 310 steps, 5.0 epochs of 4,000 images; 0.24\N{NO-BREAK SPACE}% of the paper's training "
        "(64,000 iterations of 128 images). Its networks are timed as soon as the trainer is free: a measured estimate follows."
    )
    opened.worker.ready()
    result = forecast(opened.lab, settings)
    assert result.text.endswith("Its networks are being timed: a measured estimate follows.")
    config = comparison(settings)
    opened.lab.step_times.add(config.arms[0].model, config, step_seconds=0.1, picture_seconds=1e-9)
    result = forecast(opened.lab, settings)
    assert result.is_measured
    assert result.text.startswith(
        "About 63 to 91 seconds on this machine (browsers that draw the curves slow it down): 310 steps,"
    )


def test_a_forecast_ranges_from_a_machine_at_rest_to_the_slowest_of_its_last_runs(opened: Opened) -> None:
    settings = LabSettings(depth=8, image_size=16, steps=310, batch=64)
    config, step_times = comparison(settings), opened.lab.step_times
    step_times.add(config.arms[0].model, config, step_seconds=0.1, picture_seconds=1e-9)
    for step_seconds, start in (
        (0.3, "About 63 seconds to 3 minutes"),
        (0.11, "About 63 to 91 seconds"),
        (0.05, "About 32 to 46"),
    ):
        step_times.learn(config, [Progress(step=5, images_per_second=64 / step_seconds, seconds_left=1, memory_mb=1)] * 5)
        assert forecast(opened.lab, settings).text.startswith(start)


def test_a_forecast_says_before_the_start_that_a_token_is_needed(opened: Opened) -> None:
    needed = "need the teacher's token"
    result = {name: forecast(opened.lab, preset.settings).text for name, preset in PRESETS.items()}
    assert all(forecast(opened.lab, preset.settings).preset == name for name, preset in PRESETS.items())
    assert all(text.endswith(PRESETS[name].look_for) for name, text in result.items())
    assert [name for name, text in result.items() if needed in text] == ["The paper's recipe"]
    assert "; 100\N{NO-BREAK SPACE}% of the paper's training" in result["The paper's recipe"]


def test_a_forecast_takes_the_teachers_token_into_account_and_never_repeats_it(opened: Opened) -> None:
    long = PRESETS["The paper's recipe"].settings
    text = {token: forecast(opened.lab, long, token).text for token in ("", "a-guess", "teacher")}
    assert "**Runs of more than 30 minutes need the teacher's token.**" in text[""]
    assert "need the teacher's token; the token that was typed is not the teacher's.**" in text["a-guess"]
    assert "It is longer than the 30 minutes that anyone may start; the teacher's token allows it." in text["teacher"]
    assert "need the teacher" not in text["teacher"]
    assert "a-guess" not in text["a-guess"]


def test_a_forecast_says_first_that_cifar10_is_not_here_and_how_to_get_it(
    opened: Opened, loopback: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = PRESETS["The paper's recipe"].settings
    assert forecast(opened.lab, recipe).text.startswith(
        "**CIFAR-10 is not on this machine yet:** the run begins with a download of 136 MB."
    )
    assert not forecast(opened.lab, LabSettings()).text.startswith("**")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    text = forecast(opened.lab, recipe).text
    assert text.startswith("**CIFAR-10 is not on this machine, and the app runs offline, so this run would fail.**")
    assert "`python -m resnet_demo prefetch --data cifar10`" in text
    for file in cifar10.FILES.values():
        loopback.add(f"datasets/{cifar10.REPOSITORY}", file, b"a part")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert main(["prefetch", "--data", "cifar10"]) == 0
    assert "CIFAR-10 is not" not in forecast(opened.lab, recipe).text


def test_a_link_carries_what_differs_from_the_defaults() -> None:
    assert link(LabSettings()) == "?settings={}".replace("{}", "%7B%7D")
    settings = LabSettings(depth=20, other_depth=56, epochs=2.5, augment=True, seeds=3)
    query = unquote(link(settings)).removeprefix("?settings=")
    assert json.loads(query).keys() == {"depth", "other_depth", "epochs", "augment", "seeds"}
    assert from_outside(query) == settings
