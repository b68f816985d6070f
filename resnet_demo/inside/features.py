"""What a trained network makes of a picture: the maps of a layer, and the pictures whose features lie nearest."""

from __future__ import annotations

import base64
import io
from collections import Counter

import numpy
import torch
from PIL import Image
from torch import Tensor

from resnet_demo.data.augment import normalize
from resnet_demo.data.image import read
from resnet_demo.data.numbered import thumbnails
from resnet_demo.errors import SettingError
from resnet_demo.evaluation import testset
from resnet_demo.evaluation.threads import one_processor_each
from resnet_demo.inference.examples import EXAMPLE_PICTURES, Example
from resnet_demo.inside.composition import Step, blocks_of, through
from resnet_demo.inside.context import Context
from resnet_demo.inside.outcome import Outcome, Panel, Tile
from resnet_demo.inside.request import InsideRequest
from resnet_demo.zoo.catalogue import title_of
from resnet_demo.zoo.folder import Weights

MOST_MAPS = 64
NEIGHBOURS = 12
PART = 125


def maps(request: InsideRequest, context: Context) -> Outcome:
    """The maps of one layer for one picture.

    Raises:
        SettingError: the network has no such layer.
    """
    weights, example, title = context.load(request.model), _example(request.picture), title_of(request.model)
    blocks = blocks_of(weights)
    if request.layer > len(blocks):
        raise SettingError(f"layer: {title} has {len(blocks)} blocks; 0 is its first layer.")
    steps: list[Step] = [block for _, block in blocks[: request.layer]]
    with torch.no_grad():
        x = weights.preprocessing(read(example.path)).to(weights.model.device)
        values = through(steps, weights.model.stem(x))[0].cpu()
    name = blocks[request.layer - 1][0] if request.layer else "conv1"
    tiles = [Tile(example.title, _url(weights.preprocessing.crop(read(example.path))), "what the network sees")]
    tiles += [
        Tile(f"map {number}", _grey(one), f"mean {float(one.mean()):.2f}", round(float(one.mean()), 4))
        for number, one in enumerate(values[:MOST_MAPS], 1)
    ]
    dark = int((values.amax((1, 2)) == 0).sum())
    channels, height, width = values.shape
    sentence = (
        f"{name} of {title} makes {channels} maps of {height}×{width}; {100 * float((values > 0).float().mean()):.0f} % of their values "
        f"are above zero, and {dark or 'none'} of the maps {'are' if dark > 1 else 'is'} zero everywhere."
    )
    return Outcome(
        sentence, "The output of the layer or block, after relu.", (Panel(f"{name} of {title}", "tiles", tiles=tuple(tiles)),)
    )


def neighbours(request: InsideRequest, context: Context) -> Outcome:
    """The bundled test pictures nearest to a picture, by the features before the classifier and, beside them, by pixels."""
    weights, example, title = context.load(request.model), _example(request.picture), title_of(request.model)
    pictures = testset.load("bundled")
    testset.in_order_of(weights.classes, pictures, weights.name)
    images = torch.cat(list(pictures.batches(weights.preprocessing)))
    square = weights.preprocessing.crop(read(example.path))
    own = torch.from_numpy(numpy.array(square)).permute(2, 0, 1)[None]
    context.say(f"Computing the features of {len(images):,} pictures.")
    both = torch.cat([own, images])
    features = _features(weights, both, context)
    answer = weights.classes[int(weights.model.fc(features[:1].to(weights.model.device)).argmax())]
    panels, counts = [], []
    for how, vectors in (("features", features), ("pixels", both.float().flatten(1) - both.float().mean())):
        nearest, similarities = _nearest(vectors, both)
        labels = [pictures.classes[int(pictures.labels[number])] for number in nearest]
        counts.append(Counter(labels))
        tiles = tuple(
            Tile(label, src, f"cosine {similarity:.2f}", round(similarity, 4))
            for label, src, similarity in zip(labels, thumbnails("bundled", nearest), similarities, strict=True)
        )
        query = (Tile(example.title, _url(square), "the picture itself"),) if how == "features" else ()
        panels.append(Panel(f"Nearest by {how}", "tiles", tiles=(*query, *tiles)))
    sentence = (
        f"{title} takes the picture for: {answer}. Of the {NEIGHBOURS} pictures whose features lie nearest, {counts[0][answer]} are of "
        f"that class; of the {NEIGHBOURS} nearest by their pixels, {counts[1][answer]}."
    )
    conditions = (
        f"Among the {len(images):,} test pictures that ship, by the cosine of the pooled features before the classifier "
        f"({features.shape[1]} numbers), and of the pixels less their mean. The picture itself is left out."
    )
    return Outcome(sentence, conditions, tuple(panels))


def _features(weights: Weights, images: Tensor, context: Context) -> Tensor:
    """(N, 3, H, W) bytes -> (N, C) pooled features on the CPU."""

    def part(pictures: Tensor) -> Tensor:
        context.check()
        inputs = normalize(pictures.to(weights.model.device), weights.preprocessing.mean, weights.preprocessing.std)
        with torch.no_grad():
            return weights.model.pool(weights.model.features(inputs)).cpu()

    with one_processor_each() as pool:
        return torch.cat(list(pool.map(part, images.split(PART))))


def _nearest(vectors: Tensor, images: Tensor) -> tuple[list[int], list[float]]:
    """Numbers and cosines of the rows nearest to the first one, which is not counted; pictures equal to it are left out."""
    similarities = torch.nn.functional.cosine_similarity(vectors[1:], vectors[:1])
    similarities[(images[1:] == images[:1]).flatten(1).all(1)] = -torch.inf
    values, numbers = similarities.topk(NEIGHBOURS)
    return numbers.tolist(), values.tolist()


def _example(name: str) -> Example:
    for example in EXAMPLE_PICTURES:
        if example.name == name:
            return example
    raise SettingError(f"picture: {name[:80]!r} is not among the pictures that ship.")


def _grey(values: Tensor) -> str:
    """A map, (H, W), from its smallest value (black) to its largest (white)."""
    low, high = values.min(), values.max()
    return _url(Image.fromarray((255 * (values - low) / (high - low).clamp(min=1e-12)).to(torch.uint8).numpy()))


def _url(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
