"""The app as app.py starts it, but the maps of the earlier stages wait as long as there is a file `hold` in its home."""

import sys
import time
from collections.abc import Iterator
from typing import Any

from PIL import Image

from resnet_demo.data.picture_store import PictureStore
from resnet_demo.files import home
from resnet_demo.inference.request import ClassifyRequest
from resnet_demo.runs.service import RunService
from resnet_demo.ui.engine import Engine
from resnet_demo.ui.page import build, serve
from tests.runs.stand_in import ReadyStandIn


class HeldEngine(Engine):
    def answer(self, picture: Image.Image, request: ClassifyRequest) -> Iterator[str | dict[str, Any]]:
        for step in super().answer(picture, request):
            yield step
            while isinstance(step, dict) and (home() / "hold").exists():
                time.sleep(0.02)


if __name__ == "__main__":
    lab, engine, pictures = RunService(home(), ReadyStandIn()), HeldEngine(), PictureStore(home() / "pictures")
    serve(build(lab, engine, pictures), lab, engine, pictures, port=int(sys.argv[sys.argv.index("--port") + 1]))
