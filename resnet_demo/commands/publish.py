"""`publish`: a model folder to the Hugging Face Hub."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    publish = to.add_parser("publish", help="upload a model folder to the Hugging Face Hub", description=run.__doc__)
    publish.add_argument("folder", type=Path, metavar="DIR", help="a model folder, or the name of a model that was kept")
    publish.add_argument("--repo", required=True, metavar="USER/NAME", help="the repository; it is made if it is not there")
    publish.add_argument("--private", action="store_true", help="visible only to its owner, where it is made now")
    publish.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Check a model folder and upload it; anyone can then load it as USER/NAME. Needs a login: `hf auth login`."""
    from resnet_demo.zoo.catalogue import find, model_in
    from resnet_demo.zoo.publishing import publish

    source = parsed.folder if parsed.folder.exists() else find(str(parsed.folder)) or parsed.folder
    print(publish(model_in(source), parsed.repo, private=parsed.private))
    return 0
