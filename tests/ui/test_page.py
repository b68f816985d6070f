"""How the page is served."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path
from unittest import mock

import httpx
import pytest
from fastapi import FastAPI
from gradio.queueing import Queue

from resnet_demo.ui import page
from resnet_demo.ui.shell import ModelsChanged
from tests.ui.conftest import App

TABS = sorted(path for path in (Path(page.__file__).parent / "tabs").glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize(("gradios", "ours"), [(0.001, 0.02), (0.05, 0.05)])  # elsewhere; on Windows
def test_a_queue_with_nothing_in_it_looks_fifty_times_a_second_at_most(tmp_path: Path, gradios: float, ours: float) -> None:
    served, laboratory, engine, pictures = mock.Mock(), mock.Mock(), mock.Mock(), mock.Mock()
    served._queue.sleep_when_free = gradios
    laboratory.folder = tmp_path / "runs"
    served.launch.return_value = (FastAPI(), "", "")
    page.serve(served, laboratory, engine, pictures, block=False)
    laboratory.start.assert_called_once_with()
    engine.start.assert_called_once_with()
    assert served._queue.sleep_when_free == ours
    # The attribute is Gradio's own: if it goes, or gets another meaning, so must this.
    assert "asyncio.sleep(self.sleep_when_free)" in inspect.getsource(Queue.start_processing)


def test_every_tab_is_in_the_table_with_a_title_and_a_builder() -> None:
    assert sorted(page.TABS) == [path.stem for path in TABS]
    for name, tab in page.TABS.items():
        assert tab.__name__ == f"resnet_demo.ui.tabs.{name}"
        assert tab.TITLE
        assert list(inspect.signature(tab.build).parameters) == ["shell"]


@pytest.mark.parametrize("path", TABS, ids=lambda path: path.stem)
def test_a_tab_imports_no_other_tab_nor_the_callbacks_of_one(path: Path) -> None:
    imports: set[str] = set()
    for file in (path, path.parent.parent / f"{path.stem}_callbacks.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if file.exists() else ():
            if isinstance(node, ast.ImportFrom):
                imports |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                imports |= {alias.name for alias in node.names}
    assert imports
    assert not [name for name in imports if name.startswith("resnet_demo.ui.tabs")]
    others = {f"resnet_demo.ui.{other.stem}_callbacks" for other in TABS if other != path}
    assert not imports & others


@pytest.mark.parametrize("first", ["cause", "listener"])
def test_a_change_of_the_models_calls_every_listener_whichever_tab_is_built_first(first: str) -> None:
    changed, event, outputs = ModelsChanged(), mock.Mock(), [mock.Mock()]
    steps = [lambda: changed.after(event), lambda: changed.refresh(int, outputs)]
    for step in steps if first == "cause" else reversed(steps):
        step()
    event.then.assert_called_once()
    assert event.then.call_args.args == (int, None, outputs)


def test_only_a_second_click_is_dropped_while_the_first_is_answered(app: App) -> None:
    page_source = httpx.get(app.url).text
    config = json.JSONDecoder().raw_decode(page_source, page_source.index("{", page_source.index("window.gradio_config =")))[0]
    dropped = {
        event
        for each in config["dependencies"]
        if each["backend_fn"] and each["trigger_mode"] == "once"
        for _, event in each["targets"]
    }
    assert dropped == {"click", "load", "abandon"}  # abandon: the button that cancels
