"""The picture a person gives: decoded by our own decoder, never by Gradio's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from resnet_demo.data.image import decode, decode_data_url
from resnet_demo.errors import PictureError
from resnet_demo.inference.examples import FINGERPRINT, fingerprint

UPLOAD = "upload"  # in `info` of a picture: the path of the uploaded file


class Picture(gr.Image):
    """gr.Image whose value is a safe RGB picture, or the reason why there is none."""

    is_template = True  # the browser draws it as it draws gr.Image

    def preprocess(self, payload: Any) -> Image.Image | PictureError | None:
        """The decoded picture; None where there is none; where it cannot be read, the error, for whoever asked to show."""
        if payload is None:
            return None
        try:
            path = ""
            if payload.url and payload.url.startswith("data:"):
                picture, sent = decode_data_url(payload.url), payload.url.encode()
            elif payload.path is not None:
                path = payload.path
                sent = Path(path).read_bytes()
                picture = decode(sent)
            else:
                raise PictureError("No picture was sent. Send it as an uploaded file or as a data: URL.")
            picture.info |= {FINGERPRINT: fingerprint(sent), UPLOAD: path}
            return picture
        except OSError:
            return PictureError("The uploaded file is no longer there. Upload it again.")
        except PictureError as error:
            return error
