"""Make the example pictures: `python -m resnet_demo.inference.make_examples`. Needs scikit-image.

No picture is selected by a model's answer. From CIFAR-10: of the four classes that come first in the test set,
the first test image each. From the data that scikit-image's wheel carries: colour photographs of everyday things
whose own documentation says that they are in the public domain or CC0, at most 512 pixels wide.
"""

from __future__ import annotations

import importlib.resources
import io
from pathlib import Path

from PIL import Image

from resnet_demo.data.cifar10 import BUNDLED_FILES
from resnet_demo.data.dataset import CIFAR10_CLASSES, read_cifar10
from resnet_demo.data.image import decode
from resnet_demo.files import EXAMPLES, write_atomically
from resnet_demo.inference.examples import SOURCES, SourceEntry, Sources

CIFAR10_IMAGES = 4
SIDE = 512
CIFAR10_SOURCE = "CIFAR-10 test set: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images"
CIFAR10_LICENCE = "Published for research; the data set names no licence"
PHOTOGRAPHS = (  # file in skimage/data, title, source, licence: as the functions of skimage.data document them
    ("chelsea.png", "A cat", "Chelsea the cat, by Stéfan van der Walt, from scikit-image", "CC0"),
    (
        "coffee.png",
        "A cup of coffee",
        "Coffee cup, by Rachel Michetti, courtesy of Pikolo Espresso Bar, from scikit-image",
        "CC0",
    ),
    ("rocket.jpg", "A rocket", "Launch of DSCOVR on a Falcon 9, by SpaceX, from scikit-image", "Public domain"),
    ("astronaut.png", "An astronaut", "Eileen Collins, NASA Great Images database, from scikit-image", "Public domain"),
)


def main(folder: Path = EXAMPLES) -> None:
    """Write the pictures and sources.json."""
    folder.mkdir(exist_ok=True)
    entries = []
    test = read_cifar10(BUNDLED_FILES["test"])  # in the original order, as far as it goes
    for label in list(dict.fromkeys(test.labels.tolist()))[:CIFAR10_IMAGES]:
        pixels = test.images[test.labels.tolist().index(label)].permute(1, 2, 0).contiguous().numpy()
        name = CIFAR10_CLASSES[label]
        _write(folder / f"cifar10-{name}.png", Image.fromarray(pixels), "PNG")
        entries.append(
            SourceEntry(file=f"cifar10-{name}.png", title=f"CIFAR-10: {name}", source=CIFAR10_SOURCE, licence=CIFAR10_LICENCE)
        )
    for file, title, source, licence in PHOTOGRAPHS:
        picture = decode((importlib.resources.files("skimage") / "data" / file).read_bytes())
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        name = f"{Path(file).stem}.jpg"
        _write(folder / name, picture, "JPEG")
        entries.append(SourceEntry(file=name, title=title, source=source, licence=licence))
    write_atomically(folder / SOURCES, (Sources(pictures=tuple(entries)).model_dump_json(indent=1) + "\n").encode())


def _write(path: Path, picture: Image.Image, kind: str) -> None:
    encoded = io.BytesIO()
    picture.save(encoded, kind, optimize=True, **({"quality": 90} if kind == "JPEG" else {}))
    write_atomically(path, encoded.getvalue())


if __name__ == "__main__":
    main()
