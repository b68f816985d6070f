"""The runs that ship: they are whole, they show what their preset is, and nothing can be done to them but look and repeat."""

from __future__ import annotations

import io
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from resnet_demo.comparison import PRESETS, settings_of
from resnet_demo.data.cifar10 import example_pictures
from resnet_demo.errors import RunError, SettingError
from resnet_demo.inference.classify import classify
from resnet_demo.results.export import export_csv
from resnet_demo.runs.controls import controls_for, initial_run
from resnet_demo.runs.forecast import forecast
from resnet_demo.runs.recorded import join_runs, round_numbers, write
from resnet_demo.runs.service import RunService
from resnet_demo.runs.transfer_view import TransferControls, latest_transfer, transfer_controls
from resnet_demo.training import session
from resnet_demo.training.events import Measured, RunFinished, RunStarted, TrainingPoint, TransferMeasured
from resnet_demo.training.record import Record
from resnet_demo.transfer.settings import TRANSFER_PRESETS, transfer_run
from resnet_demo.zoo import folder
from resnet_demo.zoo.catalogue import RECORDED, find, run_model, title_of
from tests.runs.stand_in import StandIn
from tests.tiny import tiny_arm, tiny_run

FIRST = next(iter(PRESETS))


@pytest.fixture
def shipped(tmp_path: Path) -> RunService:
    """A service that has trained nothing, with the runs that ship."""
    copy = shutil.copytree(RECORDED, tmp_path / "recorded")
    return RunService(tmp_path / "home", StandIn(), token="teacher", recorded=copy)


def test_every_preset_has_a_recorded_run_and_every_recorded_run_a_preset(shipped: RunService) -> None:
    titles = list(shipped.recorded().values())
    further = [title for preset in PRESETS.values() for title in preset.recorded]
    assert sorted(titles) == sorted([*(set(PRESETS) - {"The paper's recipe"}), *further])  # it would take a day


def test_a_recorded_run_of_a_preset_has_its_settings_and_one_of_full_length_its_networks(shipped: RunService) -> None:
    for run, title in shipped.recorded().items():
        config = shipped.record(run).config
        if title in PRESETS:
            assert settings_of(config) == PRESETS[title].settings
        else:
            assert title == f"Full length: {config.arms[0].model.depth} layers"
            assert [arm.model.residual for arm in config.arms] == [False, True]
            assert config.arms[1].model == config.arms[0].model.model_copy(update={"residual": True})
            assert (config.data.source, config.arms[0].seed) == ("cifar10", config.arms[1].seed)


def test_every_recorded_run_is_whole_small_and_says_what_came_of_it_and_where(shipped: RunService) -> None:
    for state in (shipped.state(run, "a") for run in shipped.recorded()):
        events, _ = shipped.events(state.id)
        names = {arm.name for arm in shipped.record(state.id).config.arms}
        assert isinstance(events[0], RunStarted)
        assert isinstance(events[-1], RunFinished)
        assert events[-1].step == state.step == state.steps
        assert {event.arm for event in events if isinstance(event, TrainingPoint)} == names
        assert {event.arm for event in events if isinstance(event, Measured) and event.step == state.steps} == names
        assert (state.status, state.yours) == ("recorded", False)
        assert state.reason.startswith("It ships with this app. It was trained on ")
        assert events[0].device in state.reason
        assert shipped.summary(state.id).sentence.startswith(f"After {state.steps:,} steps ")
        assert (shipped.record(state.id).folder / "events.jsonl").stat().st_size < 300_000


def test_the_recorded_pair_of_56_layers_shows_figure_6(shipped: RunService) -> None:
    run = next(run for run, title in shipped.recorded().items() if title == "Full length: 56 layers")
    errors = {event.arm: event.error for event in shipped.events(run)[0] if isinstance(event, Measured)}
    assert errors == {
        "plain56": pytest.approx(0.2756),
        "residual56": pytest.approx(0.0717),
    }  # before rounding to float16: LOG.md


def test_a_page_without_runs_opens_the_recorded_one_of_the_first_preset_and_later_the_newest(
    shipped: RunService, picture_folder: Path
) -> None:
    opened = initial_run(shipped, "")
    assert shipped.recorded()[opened] == FIRST
    other = next(run for run in shipped.recorded() if run != opened)
    assert initial_run(shipped, other) == other
    own = shipped.submit(tiny_run(picture_folder), "a")
    assert initial_run(shipped, "") == own
    assert shipped.runs()[0].id == own


def test_a_recorded_run_can_be_repeated_and_nothing_else_not_even_by_the_teacher(shipped: RunService) -> None:
    run = initial_run(shipped, "")
    place = shipped.record(run).folder
    before = {path: path.read_bytes() for path in place.iterdir()}
    actions: tuple[Callable[[str, str, str], object], ...] = (shipped.stop, shipped.pause, shipped.resume, shipped.delete)
    for action in actions:
        for token in ("", "teacher"):
            with pytest.raises(SettingError, match="is recorded and ships with this app"):
                action(run, "a", token)
    with pytest.raises(SettingError, match="train a network of your own to keep it"):
        shipped.keep(run, "plain32-s0", "mine", "a", "teacher")
    controls = controls_for(shipped, run)
    assert (controls.can_stop, controls.can_pause, controls.can_continue, controls.can_repeat) == (False, False, False, True)
    assert controls.sentence.startswith("After 400 steps ")
    again = shipped.repeat(run, "a")
    assert shipped.record(again).config == shipped.record(run).config
    assert export_csv(shipped.record(run)).count(b"\n") > 100
    assert {path: path.read_bytes() for path in place.iterdir()} == before


def test_before_a_start_the_page_links_to_the_recorded_runs_of_the_preset(shipped: RunService) -> None:
    ids = {title: run for run, title in shipped.recorded().items()}
    for preset in PRESETS.values():
        text = forecast(shipped, preset.settings).text
        assert all(
            f"[{title}](?tab=lab&run={ids[title]})" in text for title in (preset.title, *preset.recorded) if title in ids
        )
        assert "Recorded, to look at now: " in text


def test_the_transfer_tab_opens_with_the_recorded_transfer_of_the_examples_until_the_visitor_has_one(
    shipped: RunService, picture_folder: Path
) -> None:
    run = latest_transfer(shipped, "a")
    config, events = shipped.record(run).config, shipped.events(run)[0]
    page = TRANSFER_PRESETS["Your own pictures"].settings.model_copy(update={"data": str(picture_folder)})
    of_page = transfer_run(page)
    assert (config.transfer, config.optimizer, config.batch) == (of_page.transfer, of_page.optimizer, of_page.batch)
    controls = transfer_controls(shipped, run)
    assert controls == TransferControls(
        sentence=controls.sentence, has_network=True, can_keep=False, outcome=controls.outcome
    )  # no button
    assert controls.sentence.startswith("The transferred network is right on 100.0 % of the 4 test pictures")
    with pytest.raises(SettingError, match="train a network of your own to keep it"):
        shipped.keep(run, "transfer", "mine", "a", "teacher")
    (measured,) = (event for event in events if isinstance(event, TransferMeasured))
    assert (measured.classes, measured.confusion) == (("cat", "ship"), ((2, 0), (0, 2)))
    own = shipped.submit(of_page, "a")
    assert (latest_transfer(shipped, "a"), latest_transfer(shipped, "b")) == (own, run)


def test_the_recorded_transfer_s_network_answers_as_its_record_says() -> None:
    (run,) = (path for path in RECORDED.iterdir() if (path / "arms").exists())
    name = run_model(run.name, "transfer")
    assert (find(name), title_of(name)) == (run / "arms" / "transfer", "The transferred network")
    weights = folder.load(run / "arms" / "transfer")
    (measured,) = (event for event in Record(run).events() if isinstance(event, TransferMeasured))
    pictures = [(label, Image.open(io.BytesIO(encoded)).convert("RGB")) for label, _, encoded in example_pictures()]
    counts = Counter((label, classify(weights, image).top()[0].label) for label, image in pictures)
    assert counts == {("cat", "cat"): 12, ("ship", "ship"): 12}
    assert measured.train_accuracy == measured.validation_accuracy == measured.test_accuracy == 1


@pytest.fixture
def trained(tmp_path: Path, picture_folder: Path) -> list[Record]:
    """A plain and a residual network, each in a run of its own."""
    records = []
    for arm in (tiny_arm("plain8", residual=False), tiny_arm("residual8")):
        for _ in session.run(tiny_run(picture_folder, arms=(arm,)), tmp_path / arm.name):
            pass
        records.append(Record(tmp_path / arm.name))
    return records


def test_runs_of_one_network_each_become_one_comparison(trained: list[Record], tmp_path: Path) -> None:
    place = write(trained, tmp_path / "recorded", "Two of eight layers")
    whole = Record(place)
    events = whole.events()
    assert [arm.name for arm in whole.config.arms] == ["plain8", "residual8"]
    assert whole.config.title == "Two of eight layers"
    assert [event.step for event in events] == sorted(event.step for event in events)
    assert isinstance(events[0], RunStarted)
    assert set(events[0].parameters) == {"plain8", "residual8"}
    for record in trained:
        name = record.config.arms[0].name
        assert [event for event in events if getattr(event, "arm", "") == name] == [
            round_numbers(event) for event in record.events() if getattr(event, "arm", "") == name
        ]
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert last.seconds == pytest.approx(sum(record.events()[-1].seconds for record in trained), rel=1e-4)  # type: ignore[union-attr]
    assert sorted(path.name for path in place.iterdir()) == ["config.json", "events.jsonl"]


def test_runs_that_differ_or_have_not_finished_are_not_joined(
    trained: list[Record], tmp_path: Path, picture_folder: Path
) -> None:
    for _ in session.run(tiny_run(picture_folder, arms=(tiny_arm("other"),), steps=13), tmp_path / "other"):
        pass
    with pytest.raises(RunError, match="differ in more than their networks"):
        join_runs([trained[0], Record(tmp_path / "other")])
    lines = (trained[1].folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    (trained[1].folder / "events.jsonl").write_bytes(b"".join(lines[:-1]))
    with pytest.raises(RunError, match="is not finished"):
        join_runs(trained)
