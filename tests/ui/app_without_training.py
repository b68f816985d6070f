"""The app as app.py starts it, with a stand-in for the process that trains: the first run trains for ever."""

import sys

from resnet_demo.data.picture_store import PictureStore
from resnet_demo.files import home
from resnet_demo.runs.service import RunService
from resnet_demo.ui.engine import Engine
from resnet_demo.ui.page import build, serve
from tests.runs.stand_in import ReadyStandIn

if __name__ == "__main__":
    lab, engine = RunService(home(), ReadyStandIn()), Engine()
    pictures = PictureStore(home() / "pictures")
    serve(build(lab, engine, pictures), lab, engine, pictures, port=int(sys.argv[sys.argv.index("--port") + 1]))
