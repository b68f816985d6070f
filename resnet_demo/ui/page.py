"""The page: its frame, its tabs, and how it is served."""

from __future__ import annotations

import os

import gradio as gr

from resnet_demo.inference.examples import examples
from resnet_demo.training.queue import Lab
from resnet_demo.ui import classify, engine, lab
from resnet_demo.ui.exports import add_exports
from resnet_demo.ui.theme import CSS, THEME

DAY = 24 * 3600
QUEUE_LOOKS_EVERY = 0.02
"""Seconds; Gradio's queue looks a thousand times a second for something to do, 7 % of a core for ever (LOG.md)."""


def build(laboratory: Lab) -> gr.Blocks:
    """The whole page. Uploaded pictures are forgotten after a day."""
    with gr.Blocks(title="ResNet Lab", analytics_enabled=False, delete_cache=(3600, DAY)) as page:
        gr.HTML(
            "<div class='page-head'><h1>ResNet Lab</h1>"
            "<p>Why do residual networks work? See it with your own pictures (He, Zhang, Ren, Sun 2015).</p></div>"
        )
        # Outside the tabs: what is inside one reaches the browser only when the tab is first opened.
        visitor = gr.BrowserState(None, storage_key="resnet-lab-visitor", secret="resnet-lab")
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Classify", id="classify"):
                choosers = classify.build(page)
            with gr.Tab("Lab", id="lab"):
                lab.build(page, laboratory, visitor, tabs, choosers)
    return page


def serve(
    page: gr.Blocks,
    laboratory: Lab,
    *,
    host: str | None = None,
    port: int | None = None,
    share: bool = False,
    root_path: str | None = None,
    block: bool = True,
) -> gr.routes.App:
    """Open the port, then load the heavy half behind it.

    The queue's limits also hold for calls of the API; nothing is sent anywhere, nothing is kept in the browser's
    history of runs, and the page is drawn in the browser everywhere, on a Space too.
    """
    # After each event Gradio's queue sums up the last thousand, for a page of statistics that is off here.
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))
    page.queue(api_open=False, max_size=200, default_concurrency_limit=8)
    page._queue.sleep_when_free = max(page._queue.sleep_when_free, QUEUE_LOOKS_EVERY)
    app, _, _ = page.launch(
        server_name=host, server_port=port, share=share, root_path=root_path, prevent_thread_lock=True,
        theme=THEME, css=CSS, ssr_mode=False, run_history=False, enable_monitoring=False, show_error=True,
        max_file_size="25mb", footer_links=["api"], allowed_paths=[str(examples()[0].path.parent)],
    )  # fmt: skip
    add_exports(app, laboratory)
    engine.begin()
    laboratory.start()
    if block:
        page.block_thread()
    return app
