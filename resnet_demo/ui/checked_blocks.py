"""A page that checks what a request sends before Gradio handles the files in it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from resnet_demo.errors import PictureError
from resnet_demo.ui.picture import Picture
from resnet_demo.ui.refusal import refusal
from resnet_demo.web.paths import picture_source, refuse_files


class CheckedBlocks(gr.Blocks):
    """gr.Blocks that take no file but a picture, in every event and endpoint, whatever the component."""

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *around: Any, **named: Any) -> list[Any]:
        """The inputs as the event's function gets them; `web/paths.py` decides on the files among them."""
        try:
            checked = [self._checked(index, value, block_fn) for index, value in enumerate(inputs)]
        except PictureError as error:
            raise refusal(str(error)) from error
        processed: list[Any] = await super().preprocess_data(block_fn, checked, *around, **named)
        return processed

    @staticmethod
    def _checked(index: int, value: Any, block_fn: Any) -> Any:
        if index < len(block_fn.inputs) and isinstance(block_fn.inputs[index], Picture):
            return picture_source(value)
        refuse_files(value)
        return value
