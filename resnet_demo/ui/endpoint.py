"""Endpoints of the API, whose parameters and results have names, types and descriptions.

`add_endpoint` reads them from a signature, in which each is `Annotated[type, "what it is"]`: Gradio's own reading of one
loses the description.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import gradio as gr
from gradio.components.api_component import Api
from pydantic import TypeAdapter

C = TypeVar("C", bound=gr.components.Component)


def described(component: C, description: str, example: Any = None) -> C:
    """The component, with what the API page writes about it, and as an example into the code to copy."""
    schema = {**component.api_info(), "description": description, "additional_description": description}
    component.api_info = lambda: schema
    component.example_payload = lambda: example
    return component


def value(name: str, hint: Any, default: Any = None, example: Any = None) -> Api:
    """A parameter or a result that is any JSON value of a type; required as a parameter where it has no default.

    Args:
        name: of the parameter or result.
        hint: `Annotated[type, description]`.
        default: of the parameter.
        example: for a parameter without a default.
    """
    kind, description = get_args(hint)
    return described(Api(default, TypeAdapter(kind).json_schema(), name), description, example)


def add_endpoint(function: Callable[..., Any], examples: dict[str, Any]) -> None:
    """Make a function an endpoint with its own name.

    Args:
        function: its parameters, but for a gr.Request, and its result are annotated.
        examples: values of parameters without a default, for the code to copy.
    """
    hints = get_type_hints(function, include_extras=True)
    result = hints.pop("return")
    inputs = [
        value(name, hints[name], None if parameter.default is parameter.empty else parameter.default, examples.get(name))
        for name, parameter in inspect.signature(function).parameters.items()
        if get_origin(hints[name]) is Annotated
    ]
    output = value(get_args(result)[1], result)  # of a result, the API page shows the name only
    gr.Button(visible=False).click(function, inputs, output, api_name=function.__name__)
