"""How often an answer is called unsure, for pictures of a class and for others: `python benchmarks/confidence.py`.

Pictures of a class: the last training images of the real CIFAR-10 (their order is random), never its test images. Networks
trained on all training images have learned from them, so they are unsure a little less often than about new pictures;
`--held-out` states that the network has not. Pictures of no class: crops of scikit-image's photographs of other things,
noise, plain colours, ramps and text, all drawn from one seed. Needs scikit-image.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy
import skimage.data
import torch
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parents[1]))

from resnet_demo.config import DataConfig
from resnet_demo.data.augment import normalize
from resnet_demo.data.dataset import load
from resnet_demo.inference import confidence
from resnet_demo.zoo.model_cache import ModelCache

OTHER_THINGS = (
    "astronaut",
    "brick",
    "camera",
    "clock",
    "coffee",
    "coins",
    "colorwheel",
    "grass",
    "gravel",
    "logo",
    "moon",
    "page",
    "text",
)
CROPS = 16
ENTROPIES = (0.3, 0.35, 0.4, 0.45, 0.5)  # as shares of the largest possible
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def photographs(generator: numpy.random.Generator) -> Iterator[Image.Image]:
    """Each photograph whole, and square crops of it, a quarter of its side to the whole."""
    for name in OTHER_THINGS:
        try:
            whole = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
        except (AttributeError, OSError, ConnectionError, ModuleNotFoundError):
            print(f"(scikit-image brings no {name} here)")
            continue
        yield whole
        for _ in range(CROPS):
            side = int(min(whole.size) * generator.uniform(0.25, 1))
            left, top = (int(generator.integers(0, size - side + 1)) for size in whole.size)
            yield whole.crop((left, top, left + side, top + side))


def noise(generator: numpy.random.Generator) -> Iterator[Image.Image]:
    """Independent pixels, fine (32) to coarse (4 × 4 patches)."""
    for number in range(200):
        side = (32, 16, 8, 4)[number % 4]
        pixels = generator.integers(0, 256, (side, side, 3), numpy.uint8)
        yield Image.fromarray(pixels).resize((32, 32), Image.Resampling.BICUBIC)


def colours(generator: numpy.random.Generator) -> Iterator[Image.Image]:
    """One colour, or a ramp from one to another."""
    for number in range(200):
        first, second = generator.integers(0, 256, (2, 3))
        share = numpy.linspace(0, 1, 32)[:, None, None] * (number % 2)
        yield Image.fromarray((first * (1 - share) + second * share + numpy.zeros((32, 32, 1))).astype(numpy.uint8))


def texts(generator: numpy.random.Generator) -> Iterator[Image.Image]:
    """Letters, dark on light, of several sizes."""
    for number in range(200):
        picture = Image.new("RGB", (128, 128), "white")
        words = "\n".join("".join(map(chr, generator.integers(97, 123, 14))) for _ in range(8))
        ImageDraw.Draw(picture).multiline_text((4, 4), words, fill="black", font_size=(12, 20, 40, 80)[number % 4])
        yield picture


def main() -> None:
    """Print, for each set of pictures, how often the best class has less than each threshold, and how often the rule applies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet20-cifar10")
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--held-out", action="store_true", help="the network has not learned from the last training images")
    parsed = parser.parse_args()
    weights = ModelCache().get(parsed.model, allow_paths=True)
    data = load(DataConfig(source="cifar10", held_out=parsed.images)).test
    fitting = normalize(data.images, weights.preprocessing.mean, weights.preprocessing.std)
    generator = numpy.random.default_rng(0)
    sets = {"training images, held out" if parsed.held_out else "training images, learned": fitting}
    for title, pictures in (("photographs of other things", photographs), ("noise", noise), ("plain colours and ramps", colours),
                        ("text", texts)):  # fmt: skip
        sets[title] = torch.cat([weights.preprocessing(picture) for picture in pictures(generator)])
    print(f"{parsed.model}; how often the best class has less than this share, or the rule of inference/confidence.py applies")
    print(
        f"{'':28} {'pictures':>8} "
        + " ".join(f"{threshold:>6.0%}" for threshold in THRESHOLDS)
        + " "
        + " ".join(f"H>{e:.2f}" for e in ENTROPIES)
        + "  unsure"
    )
    for title, images in sets.items():
        with torch.no_grad():
            shares = torch.cat([weights.model(part).float().softmax(1) for part in images.split(250)]).double()
        best, entropy = shares.max(1).values, torch.special.entr(shares).sum(1) / numpy.log(shares.shape[1])
        below = " ".join(f"{(best < threshold).double().mean():>6.1%}" for threshold in THRESHOLDS)
        above = " ".join(f"{(entropy > threshold).double().mean():>6.1%}" for threshold in ENTROPIES)
        pairs = zip(best.tolist(), entropy.tolist(), strict=True)
        is_unsure = torch.tensor([confidence.is_unsure(*pair, shares.shape[1]) for pair in pairs])
        unsure = is_unsure.double().mean()
        print(f"{title:28} {len(images):>8} {below}  {above} {unsure:>7.1%}")
        if title.startswith("training"):
            right = shares.argmax(1) == data.labels
            unsure_right, sure_right = (f"{right[part].double().mean():.1%}" for part in (is_unsure, ~is_unsure))
            print(f"  right: {unsure_right} of those called unsure, {sure_right} of the others")


if __name__ == "__main__":
    main()
