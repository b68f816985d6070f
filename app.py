"""ResNet Lab: `python app.py [--host H] [--port P] [--share] [--root-path P]`. Also the entry point of the Space."""

import argparse
import sys
from contextlib import closing

from resnet_demo.errors import ResNetDemoError
from resnet_demo.files import home
from resnet_demo.training.queue import Lab
from resnet_demo.training.waiting import sole_app
from resnet_demo.ui.page import build, serve

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="See why residual networks work.")
    parser.add_argument("--host", help="address to listen on (default: this machine only; 0.0.0.0 for a classroom)")
    parser.add_argument("--port", type=int, help="port (default: the first free one from 7860 on)")
    parser.add_argument("--share", action="store_true", help="a public link through Gradio's tunnel")
    parser.add_argument("--root-path", help="path under which a proxy serves the app")
    chosen = parser.parse_args()
    try:
        with sole_app(home()), closing(Lab(home())) as lab:
            print(f"Teacher's token, for any visitor's runs and for long ones: {lab.token}", flush=True)  # noqa: T201 - as Jupyter does
            serve(build(lab), lab, host=chosen.host, port=chosen.port, share=chosen.share, root_path=chosen.root_path)
    except ResNetDemoError as error:
        sys.exit(f"ResNet Lab: {error}")
