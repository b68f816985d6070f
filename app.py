"""ResNet Lab: `python app.py [--host H] [--port P] [--share] [--root-path P]`. Also the entry point of the Space."""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import closing

from resnet_demo.data.cifar10 import example_pictures
from resnet_demo.data.picture_store import PictureStore
from resnet_demo.errors import ResNetDemoError, SettingError
from resnet_demo.files import home
from resnet_demo.runs.queue import single_app_lock
from resnet_demo.runs.service import RunService
from resnet_demo.runs.worker_process import WorkerProcess
from resnet_demo.ui.engine import Engine
from resnet_demo.ui.page import build, serve
from resnet_demo.web.guard import allowed_host, frame_ancestor
from resnet_demo.zoo.catalogue import RECORDED


def end_on_sigterm() -> None:
    """Leave the `with` blocks on SIGTERM: what trains is saved. Process 1 of a container would ignore the signal without this."""

    def leave(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)  # once is enough
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)


def own_upload_folder() -> None:
    """Give uploads a folder that no other app uses, empty, unless the operator names one in GRADIO_TEMP_DIR."""
    if not os.environ.get("GRADIO_TEMP_DIR"):
        folder = (home() / "uploads").resolve()
        shutil.rmtree(folder, ignore_errors=True)  # of an app that was killed
        os.environ["GRADIO_TEMP_DIR"] = str(folder)


def option_type(check: Callable[[str], str]) -> Callable[[str], str]:
    """A type of an option; argparse prints the sentence of what it refuses."""

    def convert(text: str) -> str:
        try:
            return check(text)
        except SettingError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def port(text: str) -> int:
    """A port number, from the command line."""
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {number}")
    return number


if __name__ == "__main__":
    end_on_sigterm()
    parser = argparse.ArgumentParser(description="See why residual networks work.")
    parser.add_argument("--host", help="address to listen on (default: this machine only; 0.0.0.0 for a classroom)")
    parser.add_argument("--port", type=port, help="port (default: the first free one from 7860 on)")
    parser.add_argument("--share", action="store_true", help="a public link through Gradio's tunnel")
    parser.add_argument("--root-path", help="path under which a proxy serves the app")
    parser.add_argument(
        "--allowed-host", type=option_type(allowed_host), action="append", default=[], metavar="NAME",
        help="a further name by which the app may be called, such as lab.school.org or *.school.org; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--frame-ancestor", type=option_type(frame_ancestor), action="append", default=[], metavar="HOST",
        help="a site that may show the projector view (?view=projector) in a frame, such as lms.school.org; may be repeated",
    )  # fmt: skip
    options = parser.parse_args()
    try:
        with single_app_lock(home()), closing(RunService(home(), WorkerProcess(), recorded=RECORDED)) as lab:
            own_upload_folder()
            engine, pictures = Engine(), PictureStore(home() / "pictures", example_pictures)
            print(f"Teacher's token, for any visitor's runs and for long ones: {lab.token}", flush=True)  # noqa: T201 - as Jupyter does
            serve(
                build(lab, engine, pictures), lab, engine, pictures, host=options.host, port=options.port, share=options.share,
                root_path=options.root_path, allowed_hosts=options.allowed_host, frame_ancestors=options.frame_ancestor,
            )  # fmt: skip
    except ResNetDemoError as error:
        sys.exit(f"ResNet Lab: {error}")
