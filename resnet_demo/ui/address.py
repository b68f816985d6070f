"""The address of the page: which tab it opens, and the state of that tab in the rest of its query.

A link between tabs is an ordinary link with such an address; widgets/address.js keeps the browser's history.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

SCRIPT = Path(__file__).parent / "widgets" / "address.js"
LAB_FIELDS = {"run", "settings", "view"}
"""An address without a tab that has one of these fields is the Lab's; every other one is the first tab's."""

OF_THE_PAGE = {"lesson", "view"}
"""Fields that no tab reads: the step of the lesson, and how the page is shown."""


def tab_of(query: Mapping[str, str], tabs: Mapping[str, object]) -> str:
    """The id of the tab that an address opens; of one that does not exist, the first tab's.

    Args:
        query: the fields of the address.
        tabs: the tabs of the page by id, in their order.
    """
    tab = query.get("tab") or ("lab" if query.keys() & LAB_FIELDS else "")
    return tab if tab in tabs else next(iter(tabs))


def query_for(tab: str, query: Mapping[str, str]) -> dict[str, str]:
    """The fields of an address for this tab; none if the address opens another tab.

    Args:
        tab: the id of the tab that asks.
        query: the fields of the address.
    """
    own = "lab" if query.keys() & LAB_FIELDS else "classify"
    fields = {name: value for name, value in query.items() if name not in OF_THE_PAGE}
    return fields if fields.pop("tab", own) == tab else {}


def fields_of(event: gr.EventData) -> dict[str, Any]:
    """What a widget sent with an event; nothing if that is not an object."""
    return dict(event._data) if isinstance(event._data, dict) else {}


def query_of(step: gr.EventData) -> dict[str, str]:
    """The fields of the address that the browser went back or forward to."""
    return dict(parse_qsl(str(fields_of(step).get("query", "")).removeprefix("?")))


def head(titles: Mapping[str, str]) -> str:
    """The script that keeps address and tab in step, for the head of the page.

    Args:
        titles: of the tabs by id, in their order.
    """
    return f"<script>const TAB_TITLES = {json.dumps(dict(titles))};\n{SCRIPT.read_text(encoding='utf-8')}</script>"
