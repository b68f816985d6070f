"""Who sent a request: the visitor, and the network address."""

from __future__ import annotations

import gradio as gr

from resnet_demo.runs.permissions import visitor_name


def visitor_of(request: gr.Request, word: str = "") -> str:
    """The visitor whose browser or script sent a request (web/visitor.py); empty if it sent no cookie.

    Args:
        request: what Gradio passes to a callback.
        word: separates the runs of several scripts that share one cookie.
    """
    return visitor_name(request.state.visitor, word)


def address_of(request: gr.Request) -> str:
    """The network address that a request came from; empty if it is unknown."""
    return str(request.client.host) if request.client else ""


def who(request: gr.Request) -> str:
    """The visitor, or the network address of one who sent no cookie."""
    return visitor_of(request) or address_of(request)
