"""`prefetch`: bring models and CIFAR-10 into the local cache, so that everything works without a network later."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from resnet_demo.commands.progress import progress
from resnet_demo.data import cifar10
from resnet_demo.errors import SettingError
from resnet_demo.hub import fetch


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    prefetch = to.add_parser("prefetch", help="download models and data beforehand", description=run.__doc__)
    prefetch.add_argument("--model", action="append", default=[], metavar="M", help="a Hub id; may be given several times")
    prefetch.add_argument("--data", choices=["cifar10"], help=f"the real CIFAR-10, {cifar10.MEGABYTES} MB")
    prefetch.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Download models (and check that they load) or data into the cache of the Hugging Face Hub."""
    if not parsed.model and not parsed.data:
        raise SettingError("prefetch: say what to download, with --model M or --data cifar10.")
    for name in parsed.model:
        from resnet_demo.zoo import repository
        from resnet_demo.zoo.catalogue import is_hub_id

        if not is_hub_id(name):
            raise SettingError(f"--model {name!r} is no Hub id: name one such as timm/resnet50.tv_in1k.")
        with progress(name) as bar:
            repository.load(name, on_progress=bar)
        print(f"{name} is in the cache.", file=sys.stderr)
    if parsed.data:
        for part, file in cifar10.FILES.items():
            with progress(f"CIFAR-10, {part}") as bar:
                fetch.fetch_file(cifar10.REPOSITORY, file, "dataset", on_progress=bar)
        print("CIFAR-10 is in the cache.", file=sys.stderr)
    return 0
