"""Make the bundled part of CIFAR-10 from the real set: `python -m resnet_demo.data.bundle`.

The first 400 training and the first 100 test images of each class, in their original order, stored as
lossless WebP in the Hub's own layout, so that one reader serves both.
"""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow
import pyarrow.parquet
import torch
from PIL import Image

from resnet_demo.config import DataConfig
from resnet_demo.data.cifar10 import BUNDLED_FILES
from resnet_demo.data.dataset import ImageSet, load

PER_CLASS = {"train": 400, "test": 100}


def balanced(part: ImageSet, per_class: int) -> ImageSet:
    """The first `per_class` pictures of each class, in their original order."""
    indices = torch.cat([torch.nonzero(part.labels == label)[:per_class, 0] for label in part.labels.unique()]).sort().values
    return ImageSet(part.images[indices], part.labels[indices])


def write(part: ImageSet, path: Path) -> None:
    """Write a set as parquet, with the columns img{bytes, path} and label."""
    rows = []
    for number, pixels in enumerate(part.images.permute(0, 2, 3, 1).numpy()):
        encoded = io.BytesIO()
        Image.fromarray(pixels).save(encoded, "WEBP", lossless=True, quality=100, method=6)
        rows.append({"bytes": encoded.getvalue(), "path": f"{number}.webp"})
    table = pyarrow.table({"img": rows, "label": part.labels.numpy()})
    pyarrow.parquet.write_table(table, path, compression="none")


def main() -> None:
    """Write both files of the bundled part."""
    dataset = load(DataConfig(source="cifar10"))
    for name, part in (("train", dataset.train), ("test", dataset.test)):
        path = BUNDLED_FILES[name]
        path.parent.mkdir(exist_ok=True)
        write(balanced(part, PER_CLASS[name]), path)
        print(f"{name}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
