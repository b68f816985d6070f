"""The links with which a run is taken away, without a browser."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from resnet_demo.runs.service import RunService
from resnet_demo.training.record import Record
from resnet_demo.ui import exports
from tests.runs.stand_in import StandIn
from tests.tiny import tiny_run

RUN = "20260101-000000-abcdef"


@pytest.fixture
def client(tmp_path: Path, picture_folder: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    laboratory = RunService(tmp_path / "home", StandIn())
    (laboratory.folder / RUN).mkdir()
    (laboratory.folder / RUN / "config.json").write_text(tiny_run(picture_folder).model_dump_json())
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    served = FastAPI()
    exports.add_exports(served, laboratory)
    return TestClient(served)


def test_nothing_is_left_behind_of_a_zip(client: TestClient, tmp_path: Path) -> None:
    answer = client.get(f"/export/{RUN}/zip")
    assert answer.status_code == 200
    assert answer.content.startswith(b"PK")
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("part", ["x", "bytes=999999999999-", "bytes=0-1"])
def test_who_asks_for_a_part_of_a_zip_gets_it_whole_and_leaves_nothing(client: TestClient, tmp_path: Path, part: str) -> None:
    answer = client.get(f"/export/{RUN}/zip", headers={"Range": part})
    assert answer.status_code == 200
    assert answer.content.startswith(b"PK")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_zip_that_finds_no_room_is_a_sentence_and_leaves_nothing(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(record: Record, target: Path) -> Path:
        target.write_bytes(b"half a ZIP")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports, "export_zip", full)
    answer = client.get(f"/export/{RUN}/zip")
    assert answer.status_code == 507
    assert answer.text == f"Run {RUN} cannot be packed (No space left on device): make room on the disk."
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("path", [f"{RUN}/exe", "20260101-000000-000000/csv", "nothing/zip"])
def test_what_is_not_there_is_a_sentence(client: TestClient, path: str) -> None:
    answer = client.get(f"/export/{path}")
    assert answer.status_code == 404
    assert answer.text.startswith("There is no ")
