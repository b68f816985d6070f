"""The error by which a callback refuses: one sentence that the page and the API show as it is."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import gradio as gr

from resnet_demo.errors import ResNetDemoError
from resnet_demo.web.sentences import TITLE

P = ParamSpec("P")
R = TypeVar("R")


def refusal(sentence: str) -> gr.Error:
    """The error to raise. Its title marks it as ours; web/sentences.py replaces the words of every other error."""
    return gr.Error(sentence, title=TITLE, print_exception=False)


def error_in_a_sentence(function: Callable[P, R]) -> Callable[P, R]:
    """The function, with every error of ours raised as one sentence for the page and the API."""

    @wraps(function)
    def wrapped(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*arguments, **keywords)
        except ResNetDemoError as error:
            raise refusal(html.escape(str(error), quote=False)) from error

    return wrapped
