"""The error by which a callback refuses: one sentence that the page and the API show as it is."""

from __future__ import annotations

import gradio as gr

from resnet_demo.web.sentences import TITLE


def refusal(sentence: str) -> gr.Error:
    """The error to raise. Its title marks it as ours; web/sentences.py replaces the words of every other error."""
    return gr.Error(sentence, title=TITLE, print_exception=False)
