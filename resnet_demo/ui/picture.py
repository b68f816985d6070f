"""The picture a person gives: decoded by our own decoder, never by Gradio's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from resnet_demo.data.image import decode, decode_data_url, read_encoded
from resnet_demo.errors import PictureError
from resnet_demo.inference.examples import EXAMPLE_PICTURES, FINGERPRINT, fingerprint
from resnet_demo.web.paths import REFUSAL, allowed_file

UPLOAD = "upload"  # in `info` of a picture: the path of the uploaded file


class Picture(gr.Image):
    """gr.Image whose value is a safe RGB picture, or the reason why there is none."""

    is_template = True  # the browser draws it as it draws gr.Image

    def preprocess(self, payload: Any) -> Image.Image | PictureError | None:
        """The decoded picture; None where there is none; where it cannot be read, the error, for whoever asked to show."""
        if payload is None:
            return None
        try:
            if payload.url and payload.url.startswith("data:"):
                picture, sent = decode_data_url(payload.url), payload.url.encode()
            elif payload.path is not None:
                shipped = [example.path for example in EXAMPLE_PICTURES]
                sent = read_encoded(allowed_file(payload.path, Path(get_upload_folder()), shipped))
                picture = decode(sent)
            else:
                raise PictureError(REFUSAL)
            picture.info |= {FINGERPRINT: fingerprint(sent), UPLOAD: payload.path or ""}
            return picture
        except OSError:
            return PictureError(REFUSAL)
        except PictureError as error:
            return error
