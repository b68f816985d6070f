"""The page: its frame, its tabs, and how it is served."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from resnet_demo.data.picture_store import PictureStore
from resnet_demo.errors import SettingError
from resnet_demo.inference.examples import EXAMPLE_PICTURES
from resnet_demo.runs.service import RunService
from resnet_demo.ui import address, lesson_text
from resnet_demo.ui.background import Background
from resnet_demo.ui.checked_blocks import CheckedBlocks
from resnet_demo.ui.engine import Engine
from resnet_demo.ui.exports import add_exports
from resnet_demo.ui.measured_exports import add_measured_exports
from resnet_demo.ui.shell import UNQUEUED, Shell
from resnet_demo.ui.tabs import classify, evaluate, inside, lab, paper, transfer
from resnet_demo.ui.theme import CSS, THEME
from resnet_demo.web.connections import end_idle_connections
from resnet_demo.web.guard import site_of
from resnet_demo.web.join import add_join
from resnet_demo.web.layers import before_gradios, layers
from resnet_demo.web.pictures import add_pictures, sweep_regularly
from resnet_demo.web.visitor import signing_key

TABS = {"classify": classify, "lab": lab, "evaluate": evaluate, "inside": inside, "transfer": transfer, "paper": paper}
"""The tabs in their order, by their id: modules with `TITLE` and `build(shell)`, which puts the components into the tab."""

BACKGROUND_THREADS = 8
DAY = 24 * 3600
QUEUE_LOOKS_EVERY = 0.02
"""Seconds; Gradio's queue looks a thousand times a second for something to do, 7 % of a core for ever (LOG.md)."""

QUEUE_TELLS_EVERY = 10
"""Seconds; by default Gradio's queue tells every waiting page its place whenever any event starts, and the page shows none."""


def build(service: RunService, engine: Engine, pictures: PictureStore) -> gr.Blocks:
    """The whole page. Uploaded pictures are forgotten after a day."""
    with CheckedBlocks(title="ResNet Lab", analytics_enabled=False, delete_cache=(3600, DAY)) as page:
        gr.HTML(
            "<div class='page-head'><h1>ResNet Lab</h1>"
            "<p>Why do residual networks work? See it with your own pictures (He, Zhang, Ren, Sun 2015).</p>"
            f"{lesson_text.panel()}</div>"
        )
        with gr.Tabs(elem_id="tabs") as tabs:
            background = Background(ThreadPoolExecutor(BACKGROUND_THREADS, "background"))
            shell = Shell(page, service, background, engine, pictures)
            for name, tab in TABS.items():
                with gr.Tab(tab.TITLE, id=name) as component:
                    tab.build(shell)
                component.select(None, js=f"() => pageAddress.select({name!r})")
        page.load(_open_tab, None, tabs, **UNQUEUED)
    return page


def _open_tab(request: gr.Request) -> Any:
    """Select the tab that the address opens; the first one is open already, or a person has left it by now."""
    tab = address.tab_of(request.query_params, TABS)
    return gr.skip() if tab == next(iter(TABS)) else gr.Tabs(selected=tab)


def serve(
    page: gr.Blocks,
    service: RunService,
    engine: Engine,
    pictures: PictureStore,
    *,
    host: str | None = None,
    port: int | None = None,
    share: bool = False,
    root_path: str | None = None,
    allowed_hosts: Iterable[str] = (),
    frame_ancestors: Iterable[str] = (),
    block: bool = True,
) -> gr.routes.App:
    """Open the port, then load the heavy half behind it.

    The queue's limits also hold for calls of the API; nothing is sent anywhere, nothing is kept in the browser's
    history of runs, and the page is drawn in the browser everywhere, on a Space too. Every request passes web/layers.py.

    Raises:
        SettingError: the port cannot be opened.
    """
    site = site_of(os.environ, host=host, root_path=root_path, allowed=allowed_hosts, frame_ancestors=frame_ancestors)
    in_front = before_gradios(layers(site, Path(get_upload_folder()), signing_key(service.folder.parent)))
    # After each event Gradio's queue sums up the last thousand, for a page of statistics that is off here.
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))
    head = address.head({name: tab.TITLE for name, tab in TABS.items()})
    page.queue(status_update_rate=QUEUE_TELLS_EVERY, api_open=False, max_size=200, default_concurrency_limit=8)
    page._queue.sleep_when_free = max(page._queue.sleep_when_free, QUEUE_LOOKS_EVERY)
    try:
        app, _, _ = page.launch(
            server_name=host, server_port=port, share=share, root_path=root_path, prevent_thread_lock=True,
            theme=THEME, css=CSS + lesson_text.STYLE, head=head, ssr_mode=False, run_history=False, enable_monitoring=False,
            show_error=False, max_file_size="25mb", footer_links=["api"], allowed_paths=[str(EXAMPLE_PICTURES[0].path.parent)],
            app_kwargs={"lifespan": in_front},
        )  # fmt: skip
    except OSError as error:
        raise SettingError(_why_closed(host, port)) from error
    end_idle_connections(page.server)
    add_exports(app, service)
    add_pictures(app, pictures)
    threading.Thread(target=sweep_regularly, args=(pictures, threading.Event()), name="sweep", daemon=True).start()
    add_measured_exports(app, engine)
    add_join(app, host or os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"), page.server_port)
    engine.start()
    service.start()
    if block:
        page.block_thread()
    return app


def _why_closed(host: str | None, port: int | None) -> str:
    """Why the port could not be opened; Gradio says the same for every reason."""
    if port is None:
        return "No port from 7860 on is free. End a program that uses one, or choose one with --port."
    try:
        with socket.create_server((host or "127.0.0.1", port)):
            pass
        reason = "another program uses it, or used it a moment ago"
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0].lower()
    return f"Port {port} of {host or 'this machine'} cannot be opened: {reason}. Choose another one with --port."
