"""Components for the fields of a settings class, and the way back from their values to settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import gradio as gr
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from resnet_demo.parsing import whole

Choices = Sequence[Any]
"""The values of a list, or (label, value) for each of them."""


def or_none(choices: Choices, value: Any = "") -> list[Any]:
    """The choices of a list from which nothing may be chosen, too.

    Args:
        choices: the others.
        value: of the choice 'none'.
    """
    return [("none", value), *choices]


def build_form(
    kind: type[BaseModel],
    *,
    labels: Mapping[str, str] | None = None,
    choices: Mapping[str, Choices] | None = None,
    prefix: str = "set",
) -> list[gr.components.Component]:
    """One component for each field, in the order of the class, inside the open Blocks.

    The help text and the default come from the field. A number has no range: the parser's error names the setting,
    Gradio's does not.

    Args:
        kind: the settings class.
        labels: of fields whose name with a capital is not a good label.
        choices: of fields that are shown as a list; those of a Literal are its values.
        prefix: of the element ids, which are `<prefix>-<field>`; two forms on the page need two.
    """
    labels, choices = labels or {}, choices or {}
    return [
        _component(field, labels.get(name, name.replace("_", " ").capitalize()), choices.get(name), f"{prefix}-{name}")
        for name, field in kind.model_fields.items()
    ]


def form_values(settings: BaseModel) -> list[Any]:
    """The values of the components that show these settings, in the order of `build_form`."""
    return [getattr(settings, name) for name in type(settings).model_fields]


def read_form(kind: type[BaseModel], values: Sequence[Any]) -> dict[str, Any]:
    """The values of the components by field, to be parsed. Browsers send 3.0 for 3: integer fields get an int.

    Args:
        kind: the settings class.
        values: in the order of `build_form`.
    """
    sent = zip(kind.model_fields.items(), values, strict=True)
    return {name: whole(value) if _is_integer(field.annotation) else value for (name, field), value in sent}


def _component(field: FieldInfo, label: str, choices: Choices | None, identity: str) -> gr.components.Component:
    options: dict[str, Any] = {
        "label": label, "info": field.description, "value": field.default, "elem_id": identity, "min_width": 120,
    }  # fmt: skip
    if choices is None and get_origin(field.annotation) is Literal:
        choices = get_args(field.annotation)
    if choices is not None:
        return gr.Dropdown(list(choices), **options)
    if field.annotation is bool:
        return gr.Checkbox(**options)
    if field.annotation is str:
        return gr.Textbox(**options)
    return gr.Number(**options)


def _is_integer(annotation: Any) -> bool:
    if get_origin(annotation) is Literal:
        return all(type(value) is int for value in get_args(annotation))
    return annotation is int
