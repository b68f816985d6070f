"""Endpoints of the API, named, typed and described by the signatures of their functions.

Each parameter and each result is `Annotated[type, "what it is"]`; Gradio's own reading of a signature loses the description.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import gradio as gr
from gradio.components.api_component import Api
from pydantic import TypeAdapter


def add_endpoint(
    function: Callable[..., Any],
    examples: dict[str, Any],
    components: dict[str, gr.components.Component] | None = None,
    **options: Any,
) -> None:
    """Make a function an endpoint with its own name.

    Args:
        function: its parameters, but for a gr.Request, and its results are annotated. A result's description begins with
            its name and a colon.
        examples: values of parameters without a default, for the code to copy.
        components: for parameters that Gradio has to prepare, as files.
        options: of the event.
    """
    hints = get_type_hints(function, include_extras=True)
    results = hints.pop("return")
    inputs: list[gr.components.Component] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if components and name in components:
            inputs.append(components[name])
        elif get_origin(hints[name]) is Annotated:
            inputs.append(_value(name, hints[name], parameter.default, examples.get(name)))
    hints_of_results = get_args(results) if get_origin(results) is tuple else (results,)
    outputs = [_value(get_args(hint)[1].partition(":")[0], hint) for hint in hints_of_results]
    gr.Button(visible=False).click(function, inputs, outputs, api_name=function.__name__, **options)


def _value(name: str, hint: Any, default: Any = inspect.Parameter.empty, example: Any = None) -> Api:
    kind, description = get_args(hint)
    schema = {**TypeAdapter(kind).json_schema(), "description": description, "additional_description": description}
    value = Api(None if default is inspect.Parameter.empty else default, schema, name)
    # What the API page writes into the code to copy.
    value.example_payload = lambda: example  # type: ignore[method-assign]  # Gradio writes a stub beside every subclass
    return value
