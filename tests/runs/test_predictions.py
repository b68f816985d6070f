"""Predictions of a run: one a visitor, changeable until the end, shown after one's own, judged by the rule of the sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.middleware.base import BaseHTTPMiddleware

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.config import RunConfig
from resnet_demo.errors import SettingError
from resnet_demo.runs import predictions
from resnet_demo.runs.predictions import FILE, Predictions, Tally
from resnet_demo.training.events import Event, RunFinished, RunStopped, TrainingPoint
from resnet_demo.training.record import RecordWriter
from resnet_demo.ui.exports import add_exports
from tests.runs.stand_in import Opened
from tests.tiny import tiny_arm, tiny_run

CONFIG: RunConfig = comparison(LabSettings())
NAMES = ("plain32-s0", "residual32-s0")


def tally_of(opened: Opened, run: str, visitor: str) -> Tally:
    tally = opened.lab.tally(run, visitor)
    assert tally is not None
    return tally


def end(opened: Opened, run: str, event: Event, losses: tuple[float, float] = (2.0, 1.0)) -> None:
    """Let a run end as if it had been trained with these losses of the plain and the residual network."""
    opened.worker.ready()
    with RecordWriter(opened.lab.folder / run, CONFIG, resume=True) as writer:
        for name, loss in zip(NAMES, losses, strict=True):
            writer.append(TrainingPoint(step=event.step, arm=name, loss=loss, error=0.5, learning_rate=0.1))
        writer.append(event)
    opened.done(run)


def test_others_are_seen_after_ones_own_prediction_which_may_be_changed(opened: Opened) -> None:
    run = opened.lab.submit(CONFIG, "a")
    assert tally_of(opened, run, "a") == Tally(
        predictions.QUESTION,
        {"plain": "plain-32", "residual": "residual-32", "neither": "no clear difference"},
        is_open=True, own=None, counts={}, sentence="",
    )  # fmt: skip
    opened.lab.predict(run, "a", "plain")
    opened.lab.predict(run, "b", "residual")
    unseen = tally_of(opened, run, "c")
    assert (unseen.counts, unseen.sentence) == ({}, "2 visitors have predicted already.")
    opened.lab.predict(run, "a", "residual")
    assert tally_of(opened, run, "a").counts == {"plain": 0, "residual": 2, "neither": 0}
    assert tally_of(opened, run, "a").sentence == (
        "You said: residual-32. All predictions so far: 0 plain-32, 2 residual-32, 0 no clear difference. "
        "You may change yours until the run ends."
    )


@pytest.mark.parametrize(("losses", "winner"), [((2.0, 1.0), "residual"), ((1.0, 2.0), "plain"), ((1.0, 1.01), "neither")])
def test_the_end_says_who_was_right(opened: Opened, losses: tuple[float, float], winner: str) -> None:
    run = opened.lab.submit(CONFIG, "a")
    for visitor, choice in {"a": "residual", "b": "plain", "c": "neither", "d": "residual"}.items():
        opened.lab.predict(run, visitor, choice)  # type: ignore[arg-type]
    end(opened, run, RunFinished(step=400, seconds=1), losses)
    right = {"residual": 2, "plain": 1, "neither": 1}[winner]
    result = "There is no clear difference" if winner == "neither" else f"It is {winner}-32"
    verdict = {"residual": ": you were right", "plain": "; you said residual-32", "neither": "; you said residual-32"}[winner]
    counted = f"{right} of 4 predictions were right."
    assert tally_of(opened, run, "a").sentence == f"{result}{verdict}. {counted}"
    assert tally_of(opened, run, "nobody").sentence == f"{result}. {counted}"
    assert tally_of(opened, run, "nobody").counts == {"plain": 1, "residual": 2, "neither": 1}
    with pytest.raises(SettingError, match="predictions are closed"):
        opened.lab.predict(run, "a", "plain")


def test_a_run_that_was_stopped_early_judges_nobody(opened: Opened) -> None:
    run = opened.lab.submit(CONFIG, "a")
    opened.lab.predict(run, "a", "plain")
    end(opened, run, RunStopped(step=10, seconds=1))
    assert tally_of(opened, run, "a").sentence == "1 visitor has predicted; the run ended too early to say who is right."


def test_predictions_outlive_the_app_name_nobody_and_go_with_their_run(opened: Opened, tmp_path: Path) -> None:
    run = opened.lab.submit(CONFIG, "a")
    opened.lab.predict(run, "a-secret-cookie", "plain")
    text = (opened.lab.folder / run / FILE).read_text()
    assert "a-secret-cookie" not in text
    assert tally_of(Opened(tmp_path), run, "a-secret-cookie").own == "plain"
    (opened.lab.folder / run / FILE).write_bytes(b"\xff")
    assert tally_of(Opened(tmp_path), run, "a-secret-cookie").own is None
    end(opened, run, RunFinished(step=400, seconds=1))
    opened.lab.delete(run, "a")
    with pytest.raises(SettingError, match="There is no run"):
        opened.lab.tally(run, "a")


def test_without_a_cookie_and_beyond_the_limit_nothing_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "MOST", 2)
    (tmp_path / "run").mkdir()
    kept = Predictions(tmp_path)
    with pytest.raises(SettingError, match="Without a cookie"):
        kept.predict("run", "", "plain")
    kept.predict("run", "a", "plain")
    kept.predict("run", "b", "plain")
    kept.predict("run", "b", "neither")
    with pytest.raises(SettingError, match="no more are counted"):
        kept.predict("run", "c", "plain")
    assert kept.tally("run", "b", 20, is_open=True, winner=None).counts == {"plain": 1, "residual": 0, "neither": 1}


def test_a_run_of_one_kind_of_network_has_nothing_to_predict(opened: Opened, picture_folder: Path) -> None:
    run = opened.lab.submit(tiny_run(picture_folder, arms=(tiny_arm("residual8"),)), "a")
    assert opened.lab.tally(run, "a") is None
    with pytest.raises(SettingError, match="there is nothing to predict"):
        opened.lab.predict(run, "a", "plain")


@pytest.fixture
def client(opened: Opened) -> TestClient:
    """The routes, for a visitor whose cookie says 'a'."""
    served = FastAPI()

    async def identify(request: Any, answer: Any) -> Any:
        request.state.visitor = "a"
        return await answer(request)

    served.add_middleware(BaseHTTPMiddleware, dispatch=identify)
    add_exports(served, opened.lab)
    return TestClient(served)


def test_the_page_predicts_and_hears_the_tally_with_the_run(opened: Opened, client: TestClient) -> None:
    run = opened.lab.submit(CONFIG, "a")
    assert client.get(f"/runs/{run}").json()["tally"]["own"] is None
    answer = client.post(f"/runs/{run}/prediction", json={"choice": "neither"})
    assert answer.json()["counts"] == {"plain": 0, "residual": 0, "neither": 1}
    assert client.get(f"/runs/{run}").json()["tally"] == answer.json()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"choice": "both"}', b'{"choice": 1}', b'{"choice": "plain", "x": 1}', b"\xff"]
)
def test_what_is_no_prediction_is_refused_in_a_sentence(opened: Opened, client: TestClient, body: bytes) -> None:
    run = opened.lab.submit(CONFIG, "a")
    answer = client.post(f"/runs/{run}/prediction", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert tally_of(opened, run, "a").own is None
    assert client.post("/runs/x/prediction", json={"choice": "plain"}).json() == {"error": "There is no run 'x'."}
