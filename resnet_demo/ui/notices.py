"""Sentences beside what was asked for, which stay on the page until they were read."""

from __future__ import annotations

import html

import gradio as gr


def warn(sentence: str) -> None:
    """Say what was left out. Only in an event that goes through the queue: past it, a warning is lost."""
    gr.Warning(html.escape(sentence, quote=False), duration=None)
