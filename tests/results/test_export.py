"""What can be taken away from a run says what its record says."""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import zipfile
from pathlib import Path

import pytest

from resnet_demo.errors import RunError, SettingError
from resnet_demo.results import plots
from resnet_demo.results.export import export_csv, export_json, export_zip, save_arm
from resnet_demo.training import session
from resnet_demo.training.events import ArmDiverged, Measured, TrainingPoint, from_line
from resnet_demo.training.record import Record, RecordWriter
from resnet_demo.zoo import folder as model_folder
from tests.tiny import tiny_run


@pytest.fixture(scope="module")
def record(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A finished run of six steps. Read it, don't change it."""
    folder = tmp_path_factory.mktemp("exported")
    for _ in session.run(tiny_run(picture_folder, steps=6, title="A $\\frac$ & <b>title</b>"), folder):
        pass
    return Record(folder)


def test_csv_has_a_line_for_each_point_of_each_curve(record: Record) -> None:
    rows = list(csv.DictReader(io.StringIO(export_csv(record).decode())))
    points = [event for event in record.events() if isinstance(event, TrainingPoint)]
    trained = [row for row in rows if row["on"] == "training"]
    assert len(trained) == len(points) == 12
    assert [float(row["loss"]) for row in trained] == [point.loss for point in points]
    assert [(row["step"], row["on"]) for row in rows if row["on"] != "training"] == [("5", "test")] * 2 + [("6", "test")] * 2


def test_json_holds_the_settings_the_results_and_every_event(record: Record) -> None:
    content = json.loads(export_json(record))
    assert content["config"]["steps"] == 6
    assert [arm["name"] for arm in content["arms"]] == ["plain8", "residual8"]
    assert content["said"].startswith("After 6 steps the plain-8 network's training loss is ")
    assert len(content["events"]) == len(record.events())


def test_json_is_strict_even_when_an_arm_diverged(tmp_path: Path, picture_folder: Path) -> None:
    with RecordWriter(tmp_path, tiny_run(picture_folder), resume=False) as writer:
        writer.append(ArmDiverged(step=1, arm="plain8", loss=math.nan))
        writer.append(Measured(step=1, arm="residual8", split="test", loss=math.inf, error=1.0))

    def no_constants(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    events = json.loads(export_json(Record(tmp_path)), parse_constant=no_constants)["events"]
    assert [event["loss"] for event in events] == ["nan", "inf"]


def test_zip_holds_config_record_and_weights(record: Record, tmp_path: Path) -> None:
    with zipfile.ZipFile(export_zip(record, tmp_path / "run.zip")) as archive:
        assert archive.testzip() is None
        arms = {
            f"arms/{arm}/{file}"
            for arm in ("plain8", "residual8")
            for file in ("config.json", "model.safetensors", "README.md")
        }
        assert set(archive.namelist()) == {"config.json", "events.jsonl", "curves.csv", "summary.txt"} | arms
        assert archive.read("events.jsonl") == (record.folder / "events.jsonl").read_bytes()


def test_a_picture_of_the_curves_has_the_paper_colours_and_line_styles(record: Record) -> None:
    figure = plots.curves(record.config, record.events())
    lines = {line.get_label(): (line.get_color(), line.get_linestyle()) for line in figure.axes[0].get_lines()}
    assert lines == {"plain-8, seed 0": ("#D55E00", "--"), "residual-8, seed 0": ("#0072B2", "-")}
    assert plots.to_png(figure).startswith(b"\x89PNG")


def test_a_kept_arm_is_a_model_with_its_own_record(record: Record, tmp_path: Path) -> None:
    folder = save_arm(record, "residual8", "my-net.1", tmp_path)
    assert folder == tmp_path / "my-net.1"
    assert model_folder.load(folder).classes == ("blue", "green", "red")
    events = [from_line(line) for line in (folder / "record.jsonl").read_bytes().splitlines()]
    assert {getattr(event, "arm", "residual8") for event in events} == {"residual8"}
    assert [path.name for path in tmp_path.iterdir()] == ["my-net.1"]


@pytest.mark.parametrize("name", ["", ".hidden", "../up", "a/b", "a" * 41, "ä", "a b", "a\n", 7, None])
def test_a_name_that_could_leave_the_folder_is_refused(record: Record, tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match=r"^name: "):
        save_arm(record, "residual8", name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_model_is_not_overwritten_and_an_unknown_arm_is_named(record: Record, tmp_path: Path) -> None:
    save_arm(record, "residual8", "mine", tmp_path)
    with pytest.raises(SettingError, match="there is a model 'mine' already"):
        save_arm(record, "plain8", "mine", tmp_path)
    with pytest.raises(SettingError, match=r"no network '\.\./plain8'"):
        save_arm(record, "../plain8", "other", tmp_path)


def test_an_arm_without_weights_cannot_be_kept(picture_folder: Path, tmp_path: Path) -> None:
    with RecordWriter(tmp_path / "run", tiny_run(picture_folder), resume=False):
        pass
    with pytest.raises(SettingError, match="no weights to keep yet"):
        save_arm(Record(tmp_path / "run"), "plain8", "mine", tmp_path)


def test_a_name_that_ships_is_refused_among_the_users_models_which_it_would_hide(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESNET_DEMO_HOME", str(tmp_path / "home"))
    for models in (None, tmp_path / "home" / "models"):
        with pytest.raises(SettingError, match="there is a model 'resnet20-cifar10' already"):
            save_arm(record, "residual8", "resnet20-cifar10", models)
    assert save_arm(record, "residual8", "resnet20-cifar10", tmp_path / "else").is_dir()


def test_of_two_who_save_one_name_at_once_the_second_is_told_and_spoils_nothing(record: Record, tmp_path: Path) -> None:
    def other(copy: Path) -> None:
        save_arm(record, "plain8", "mine", tmp_path)

    with pytest.raises(SettingError, match="there is a model 'mine' already"):
        save_arm(record, "residual8", "mine", tmp_path, other)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert model_folder.read_config(tmp_path / "mine").architecture.residual is False


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(record: Record, tmp_path: Path) -> None:
    def full(copy: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(RunError, match=r"mine could not be kept in .* \(No space left on device\): make room there"):
        save_arm(record, "residual8", "mine", tmp_path, full)
    assert not list(tmp_path.iterdir())
