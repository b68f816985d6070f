"""A model from the Hub: in our own layout, as `publish` writes it, or in timm's."""

from __future__ import annotations

import json
from collections.abc import Callable

import psutil
import torch

from resnet_demo.config import ModelConfig
from resnet_demo.errors import SettingError, WeightsError
from resnet_demo.hub import fetch
from resnet_demo.model.resnet import ResNet
from resnet_demo.parsing import parse
from resnet_demo.zoo import timm
from resnet_demo.zoo.folder import CONFIG, WEIGHTS, ModelFolder, Weights, assemble

LARGEST_CONFIG = 1_000_000  # bytes
ROOM = 1.1  # the weights' header and its padding


def load(
    repository: str, *, on_progress: fetch.Progress | None = None, should_cancel: Callable[[], bool] = lambda: False
) -> Weights:
    """Load a model from the Hub or its local cache, onto the CPU.

    Args:
        repository: `user/name`.
        on_progress: called with (done, total) bytes of the weights.
        should_cancel: called several times a second during a download.

    Raises:
        HubError: the download failed.
        WeightsError: it is not a network of the paper, too large for this machine, or damaged.
    """
    content = describe(repository, should_cancel=should_cancel)
    size = nbytes(content.architecture)
    free = psutil.virtual_memory().available
    if size > free:
        raise WeightsError(f"{repository} needs {size / 1e9:.1f} GB of memory; {free / 1e9:.1f} GB are free.")
    limit = most_bytes(content.architecture)
    path = fetch.fetch_file(repository, WEIGHTS, on_progress=on_progress, should_cancel=should_cancel, max_bytes=limit)
    return assemble(repository, content, path)


def describe(repository: str, *, should_cancel: Callable[[], bool] = lambda: False) -> ModelFolder:
    """The content of a repository's config.json: architecture, classes, preprocessing.

    Raises:
        HubError: the download failed.
        WeightsError: it is not a network of the paper.
    """
    path = fetch.fetch_file(repository, CONFIG, should_cancel=should_cancel, max_bytes=LARGEST_CONFIG)
    try:
        text = path.read_text()
        content = json.loads(text)
    except ValueError as error:
        raise WeightsError(f"{CONFIG} of {repository} is not JSON: {error}.") from error
    if timm.is_timm(content):
        return timm.read(repository, content)
    if not isinstance(content, dict) or content.get("library") != "resnet-lab":
        kind = content.get("model_type") if isinstance(content, dict) else None
        description = f"is a {kind!r} model" if isinstance(kind, str) else "is neither timm's nor one that ResNet Lab published"
        raise WeightsError(f"{repository} {description}: choose a timm/resnet… model, or one that ResNet Lab published.")
    try:
        return parse(ModelFolder, text)
    except SettingError as error:
        raise WeightsError(f"{CONFIG} of {repository} does not describe a model of this project: {error}") from error


def is_cached(repository: str) -> bool:
    """Whether a model can be loaded without a network."""
    return fetch.is_cached(repository, CONFIG, WEIGHTS)


def most_bytes(architecture: ModelConfig) -> int:
    """The largest file that can hold the network's weights: twice their bytes, as they may be float64."""
    return int(2 * ROOM * nbytes(architecture)) + LARGEST_CONFIG


def nbytes(architecture: ModelConfig) -> int:
    """Bytes of the network's weights, without building it."""
    with torch.device("meta"):
        model = ResNet(architecture)
    return sum(tensor.nbytes for tensor in model.state_dict().values())
