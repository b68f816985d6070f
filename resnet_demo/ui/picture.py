"""The picture a person gives: decoded by our own decoder, never by Gradio's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from resnet_demo.data.image import decode, decode_data_url
from resnet_demo.errors import PictureError


class Picture(gr.Image):
    """gr.Image whose value is a safe RGB picture; what cannot be read is told in one sentence."""

    is_template = True  # the browser draws it as it draws gr.Image

    def preprocess(self, payload: Any) -> Image.Image | None:
        """The decoded picture, or None.

        Raises:
            gr.Error: the file cannot be read; the sentence says why.
        """
        if payload is None:
            return None
        try:
            if payload.url and payload.url.startswith("data:"):
                return decode_data_url(payload.url)
            if payload.path is None:
                raise PictureError("No picture was sent. Send it as an uploaded file or as a data: URL.")
            return decode(Path(payload.path).read_bytes())
        except OSError as error:
            raise gr.Error("The uploaded file is no longer there. Upload it again.", print_exception=False) from error
        except PictureError as error:
            raise gr.Error(str(error), print_exception=False) from error
