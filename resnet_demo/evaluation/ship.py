"""Makes the answers that ship: `python -m resnet_demo.evaluation.ship` runs every model of weights/ on the bundled test images."""

from __future__ import annotations

import sys
from pathlib import Path

from resnet_demo.evaluation import testset
from resnet_demo.evaluation.fingerprints import Fingerprints
from resnet_demo.evaluation.measure import measure
from resnet_demo.evaluation.stored_predictions import SHIPPED_FILE, to_bytes
from resnet_demo.files import write_atomically
from resnet_demo.zoo import folder
from resnet_demo.zoo.catalogue import SHIPPED


def ship(model: Path) -> None:
    """Write the answers of one model into its folder."""
    key = Fingerprints().key(model.name, "bundled")
    assert key is not None
    write_atomically(model / SHIPPED_FILE, to_bytes(key, measure(folder.load(model), testset.load("bundled"), exact=True)))


if __name__ == "__main__":
    for name in sys.argv[1:] or [path.parent.name for path in sorted(SHIPPED.glob(f"*/{folder.CONFIG}"))]:
        ship(SHIPPED / name)
