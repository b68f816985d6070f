"""The Transfer tab's callbacks without a page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from resnet_demo.data.folders import DELETED_PICTURES, data_folder, list_folder
from resnet_demo.data.picture_store import PictureStore
from resnet_demo.files import home
from resnet_demo.transfer.settings import TransferSettings
from resnet_demo.ui.answer_callbacks import NOTHING, AnswerCallbacks
from resnet_demo.ui.form import form_values
from resnet_demo.ui.transfer_callbacks import FIRST, OWN, UNTRAINED, TransferCallbacks, preset_values, show_transfer
from resnet_demo.web.pictures import owner_of
from tests.data.archives import picture
from tests.runs.stand_in import Opened

ANNA: Any = SimpleNamespace(
    state=SimpleNamespace(visitor="anna"), client=None, query_params={"tab": "transfer"}, session_hash="s"
)
EXAMPLES = [(name, f"{name} {n}", picture(n + len(name))) for name in ("cat", "mouse") for n in range(0, 90, 30)]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    return Opened(tmp_path)


@pytest.fixture
def callbacks(opened: Opened) -> TransferCallbacks:
    pictures = PictureStore(home() / "pictures", lambda: EXAMPLES)
    return TransferCallbacks(opened.lab, pictures, AnswerCallbacks(lambda *_: iter(()), lambda _: None))


def own(**changes: Any) -> list[Any]:
    """The values of the form, for own pictures."""
    return form_values(TransferSettings(data=OWN, **changes))


def test_the_tab_opens_with_the_preset_for_own_pictures() -> None:
    names = list(TransferSettings.model_fields)
    assert preset_values(FIRST)[names.index("data")] == OWN


def test_a_run_learns_from_a_copy_whose_place_it_does_not_tell(callbacks: TransferCallbacks, opened: Opened) -> None:
    run = callbacks.begin("teacher", ANNA, *own(epochs=2))["run"]
    config = opened.lab.record(run).config
    assert (config.title, config.arms[0].model.classes) == ("Own pictures", 2)
    assert not Path(config.data.source).is_absolute() and str(home()) not in config.model_dump_json()
    assert list_folder(data_folder(config.data.source))[0] == ("cat", "mouse")
    assert callbacks.arrive(ANNA)[1]["run"] == run


class Elsewhere(PictureStore):
    """A store whose sets another page of the same visitor deletes as soon as their folder was told."""

    def preview(self, owner: str) -> Path:
        return self._deleted(owner, super().preview(owner))

    def copy_for_run(self, owner: str) -> Path:
        return self._deleted(owner, super().copy_for_run(owner))

    def _deleted(self, owner: str, folder: Path) -> Path:
        self.delete(owner)
        return folder


def test_pictures_that_another_page_deletes_meanwhile_are_gone_in_a_sentence(
    callbacks: TransferCallbacks, opened: Opened
) -> None:
    elsewhere = replace(callbacks, pictures=Elsewhere(home() / "pictures", lambda: EXAMPLES))
    elsewhere.pictures.add(owner_of("anna"), "cat", "mine.png", picture(7))
    assert elsewhere.describe(FIRST, "", ANNA, *own()) == DELETED_PICTURES
    elsewhere.pictures.add(owner_of("anna"), "cat", "mine.png", picture(7))
    with pytest.raises(gr.Error, match="no longer kept"):
        elsewhere.begin("teacher", ANNA, *own())
    assert opened.lab.runs() == ()


def test_a_transfer_is_none_of_the_labs_runs(callbacks: TransferCallbacks, opened: Opened) -> None:
    from resnet_demo.runs.controls import controls_for, initial_run

    run = callbacks.begin("teacher", ANNA, *own())["run"]
    assert initial_run(opened.lab, run) == ""
    assert controls_for(opened.lab, "").rows == controls_for(opened.lab, "").others == ()


def test_an_estimate_follows_the_pictures_and_begins_nothing(callbacks: TransferCallbacks, opened: Opened) -> None:
    text = callbacks.describe(FIRST, "", ANNA, *own(validation=0.0))
    assert (
        "A few seconds on this machine: 4 pictures of 2 classes at 32 × 32 to learn from, 0 to watch it by, 2 to test on"
        in text
    )
    assert "A few pictures a class are enough" in text
    assert opened.lab.runs() == ()
    others = callbacks.describe("", "", ANNA, *form_values(TransferSettings(train_limit=100)))
    assert others.startswith("The classes above are not used") and "90 pictures of 10 classes" in others
    from_hub = callbacks.describe("", "", ANNA, *own(base="timm/resnet50.tv_in1k"))
    assert "The base is not on this machine, and the app runs offline" in from_hub
    assert "data: must be one of own" in callbacks.describe(FIRST, "", ANNA, *form_values(TransferSettings(data="/etc")))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": "/etc"}, "data: must be one of own"),
        ({"base": "no-such-network"}, "There is no model"),
        ({"base": "/etc"}, "There is no model"),
        ({"unfreeze": 4}, "stages"),
        ({"epochs": 0}, "epochs"),
        ({"colour": 1}, "colour"),
        ({"base": "user/never-there"}, "user/never-there"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_sentence(
    callbacks: TransferCallbacks, opened: Opened, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(gr.Error, match=words) as error:
        callbacks.transfer(ANNA, {"train_limit": 50, "test_limit": 50} | changes, "", "")
    assert str(error.value.message).endswith(".")
    assert opened.lab.runs() == ()


def test_before_anything_is_trained_there_is_no_answer_and_nothing_to_keep(callbacks: TransferCallbacks) -> None:
    run = callbacks.begin("teacher", ANNA, *own())["run"]
    for curves in (show_transfer(""), show_transfer(run)):
        sentence, *buttons, outcome, link = callbacks.refresh(curves)
        assert (sentence, outcome, link, buttons[-1].interactive) == ("", None, "", False)
        ((answer, _),) = callbacks.ask(None, curves, NOTHING, ANNA)
        assert answer == UNTRAINED
    with pytest.raises(gr.Error, match="no weights to keep yet"):
        callbacks.keep(show_transfer(run), "mine", "teacher", ANNA)


def test_a_link_to_what_is_not_there_is_told(callbacks: TransferCallbacks, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr("resnet_demo.ui.transfer_callbacks.warn", warnings.append)
    request: Any = SimpleNamespace(state=ANNA.state, client=None, query_params={"tab": "transfer", "run": "x", "base": "y"})
    _, curves, base = callbacks.arrive(request)
    assert (curves["run"], base.value) == ("", "resnet20-cifar10")
    assert ["transfer 'x'" in warnings[0], "network 'y'" in warnings[1]] == [True, True]
