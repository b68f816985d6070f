"""Components for the fields of any settings class, and back."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest
from pydantic import BaseModel

from resnet_demo.comparison import LabSettings
from resnet_demo.config import OptimizerConfig
from resnet_demo.parsing import parse
from resnet_demo.ui.form import build_form, form_values, read_form

CHOICES = {"depth": [8, 32, 56], "data": ["bundled"]}


def components(kind: type[BaseModel], **options: Any) -> dict[str, Any]:
    return dict(zip(kind.model_fields, build_form(kind, **options), strict=True))


@pytest.mark.parametrize("kind", [LabSettings, OptimizerConfig])
def test_the_untouched_form_gives_the_default_settings(kind: type[BaseModel]) -> None:
    form = components(kind)
    assert parse(kind, read_form(kind, [component.value for component in form.values()])) == kind()


@pytest.mark.parametrize(
    "settings",
    [
        LabSettings(depth=56, epochs=1.5, schedule="cosine", augment=True),
        OptimizerConfig(name="adam", nesterov=True, low_start=7),
    ],
)
def test_settings_go_to_the_form_and_back(settings: BaseModel) -> None:
    assert parse(type(settings), read_form(type(settings), form_values(settings))) == settings


def test_each_kind_of_field_has_its_component_help_and_default() -> None:
    form = components(OptimizerConfig)
    kinds = {name: type(component) for name, component in form.items()}
    assert kinds == {
        "name": gr.Dropdown, "learning_rate": gr.Number, "filter_rate": gr.Number, "momentum": gr.Number, "nesterov": gr.Checkbox,
        "weight_decay": gr.Number, "decay": gr.Dropdown, "schedule": gr.Dropdown, "low_start": gr.Number, "warmup": gr.Number,
        "label_smoothing": gr.Number,
    }  # fmt: skip
    assert [value for _, value in form["name"].choices] == ["sgd", "adam", "muon"]
    rate = form["learning_rate"]
    assert (rate.label, rate.info, rate.value) == ("Learning rate", "The highest learning rate of the schedule.", 0.1)


def test_labels_choices_and_ids_can_be_replaced() -> None:
    form = components(LabSettings, labels={"warmup": "Warm-up"}, choices=CHOICES, prefix="first")
    assert (form["warmup"].label, form["warmup"].elem_id) == ("Warm-up", "first-warmup")
    assert [value for _, value in form["depth"].choices] == [8, 32, 56]
    assert isinstance(form["data"], gr.Dropdown)
    assert isinstance(components(LabSettings)["data"], gr.Textbox)


def test_integers_come_back_from_what_a_browser_sends_as_floats() -> None:
    values = [float(value) if type(value) is int else value for value in form_values(LabSettings())]
    fields = read_form(LabSettings, values)
    assert {type(fields[name]) for name in ("depth", "batch", "image_size", "seed")} == {int}
    assert read_form(OptimizerConfig, form_values(OptimizerConfig(low_start=0)))["low_start"] == 0
    assert read_form(LabSettings, [2.5, *values[1:]])["depth"] == 2.5  # for the parser to refuse


def test_a_value_too_many_is_an_error() -> None:
    with pytest.raises(ValueError):
        read_form(OptimizerConfig, [*form_values(OptimizerConfig()), 1])
