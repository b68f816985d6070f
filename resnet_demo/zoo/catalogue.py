"""The list of models: those that ship, the user's own, and the well-known ones on the Hub. No torch here.

A source `M`, as the command line and the page take it, is a name from this catalogue, a path, or a Hub id.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError, safe_open

from resnet_demo import files
from resnet_demo.config import ModelConfig
from resnet_demo.errors import SettingError, WeightsError
from resnet_demo.hub import fetch
from resnet_demo.parsing import ClassName, parse

SHIPPED = Path(__file__).parents[2] / "weights"
RECORDED = Path(__file__).parents[1] / "recorded"
"""Finished runs that ship (runs/recorded.py); the one of a transfer has its network."""

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)

# Top-1 accuracy at one central crop of 224, as in timm's table of results. Not measured here.
TIMM_TOP1 = {
    "tv": {18: 0.6975, 34: 0.7330, 50: 0.7616, 101: 0.7740, 152: 0.7833},
    "a1": {18: 0.7150, 34: 0.7642, 50: 0.8038, 101: 0.8149, 152: 0.8200},
}
RUN_MODEL = re.compile(r"run-(\d{8}-\d{6}-[0-9a-f]{6})-([a-z0-9][a-z0-9-]{0,39})")

ARM_TITLES = {"transfer": "The transferred network"}  # of networks of runs, until they are kept under another name
TIMM_RECIPES = {"tv": "torchvision's weights", "a1": "timm's recipe A1"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A model of the list.

    Args:
        name: the source for `ModelCache.get`.
        title: the name for people, the same everywhere.
        architecture: resnet20, plain20, resnet50, …
        classes: number of classes.
        test_accuracy: on the data set's test images; None if it was not measured.
        trained_on: the data set.
        source: where it comes from and, for Hub models, who measured the accuracy.
    """

    name: str
    title: str
    architecture: str
    classes: int
    test_accuracy: float | None
    trained_on: str
    source: str


class _Side(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    image_size: int = 32


class _FolderConfig(BaseModel):
    """The part of a folder's config.json that the list needs; zoo/folder.py checks the whole."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)

    architecture: ModelConfig
    classes: tuple[ClassName, ...] = Field(strict=False)
    preprocessing: _Side = _Side()
    test_accuracy: float | None = Field(None, ge=0, le=1)
    trained_on: str = ""


def available() -> tuple[Entry, ...]:
    """The models that ship, then the user's own (residual networks first), then the well-known ones on the Hub.

    Damaged folders are skipped, with a warning in the log.
    """
    entries: dict[str, Entry] = {}
    for root, source in _roots():
        for entry in sorted(_folders(root, source), key=lambda entry: entry.architecture.startswith("plain")):
            entries.setdefault(entry.name, entry)  # a name that ships hides the user's folder of that name
    return (*entries.values(), *well_known())


def title_of(name: str) -> str:
    """The title of a model; for a model that is not in the list, its name."""
    match = RUN_MODEL.fullmatch(name)
    if match is not None:
        return ARM_TITLES.get(match[2], f"The network of run {match[1][-6:]}")
    folders = [(root / name, source) for root, source in _roots() if root / name in _subfolders(root)]
    entries = (
        *(_entry(folder, source) for folder, source in folders),
        *well_known(),
    )  # each answer asks: not every folder is read
    return next((entry.title for entry in entries if entry is not None and entry.name == name), ARM_TITLES.get(name, name))


def run_model(run: str, arm: str) -> str:
    """The name of a network that a run trained, by which it can be asked before it is kept as a model."""
    return f"run-{run}-{arm}"


def is_run_model(name: str) -> bool:
    """Whether the name is that of a network that a run has trained, and that is there."""
    return RUN_MODEL.fullmatch(name) is not None and find(name) is not None


def find(name: str) -> Path | None:
    """The folder of that name, among the models that ship, the user's own and the networks of runs; it is never taken for a path."""
    match = RUN_MODEL.fullmatch(name)
    if match is not None:
        folders = [runs / match[1] / "arms" / match[2] for runs in (files.home() / "runs", RECORDED)]
        return next((folder for folder in folders if (folder / "config.json").is_file()), None)
    for root, _ in _roots():
        for folder in _subfolders(root):
            if folder.name == name:
                return folder
    return None


def is_hub_id(source: str) -> bool:
    """Whether the text has the form `user/name`."""
    return HUB_ID.fullmatch(source) is not None and ".." not in source and "--" not in source


def locate(source: str, *, allow_paths: bool) -> Path | str:
    """The folder, or the Hub id, that a source means.

    Args:
        source: a name of the catalogue, a Hub id, or (with `allow_paths`) the path of a model folder.
        allow_paths: only for the command line, never for text from a page; the folder of a run serves too (`model_in`).

    Raises:
        WeightsError: it is none of these.
    """
    folder = find(source)
    if folder is not None:
        return folder
    path = files.expand_home(source)
    if allow_paths and os.path.isdir(path):  # noqa: PTH112 Path.is_dir raises an OSError for a name that is too long
        return model_in(path.resolve())
    if is_hub_id(source):
        return source
    kinds = "a Hub id such as timm/resnet50.tv_in1k" + (", or the path of a model folder" if allow_paths else "")
    names = ", ".join(entry.name for entry in available() if not is_hub_id(entry.name)) or "none yet"
    raise WeightsError(f"There is no model {source[:200]!r}: name one of those here ({names}), {kinds}.")


def model_in(path: Path) -> Path:
    """The model folder that a path means: of the folder of a run with one network, or of a transfer, that of the network."""
    arms = _subfolders(path / "arms")
    if (path / "model.safetensors").exists() or not arms:
        return path
    return next((arm for arm in arms if arm.name == "transfer"), arms[0] if len(arms) == 1 else path)


def describe(source: str, *, allow_paths: bool) -> tuple[ModelConfig, int]:
    """The architecture of a model, and the side in pixels of the pictures it expects. Loads no weights.

    Of a Hub model, config.json is fetched if it is not in the cache, unless it is a well-known one.

    Raises:
        WeightsError: there is no such model (`locate`), or its config.json is damaged.
        HubError: its config.json cannot be fetched.
    """
    place = locate(source, allow_paths=allow_paths)
    try:
        if isinstance(place, Path):
            text = files.read_text(place / "config.json")
        else:
            entry = next((entry for entry in well_known() if entry.name == place), None)
            if entry is not None and not fetch.is_cached(place, "config.json"):
                return ModelConfig.named(entry.architecture), 224
            text = files.read_text(fetch.fetch_file(place, "config.json", max_bytes=1_000_000))
        content = json.loads(text)
        if isinstance(content, dict) and isinstance(content.get("architecture"), str):  # timm's layout: timm.py reads it all
            return ModelConfig.named(content["architecture"]), int(
                content.get("pretrained_cfg", {}).get("input_size", (3, 224))[1]
            )
        config = parse(_FolderConfig, text)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:  # a SettingError is a ValueError
        raise WeightsError(f"config.json of {source} does not describe a model that can be a base: {error}") from error
    return config.architecture, config.preprocessing.image_size


def trained_on(source: str) -> str:
    """The data that a model learned from; empty if it is not here, or its config.json does not say."""
    folder = find(source) or (model_in(Path(source)) if Path(source).is_absolute() else None)
    entry = _entry(folder, "") if folder else next((entry for entry in well_known() if entry.name == source), None)
    return entry.trained_on if entry else ""


def _roots() -> tuple[tuple[Path, str], ...]:
    return (SHIPPED, "ships with ResNet Lab"), (files.home() / "models", "your own model")


def _subfolders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except FileNotFoundError:
        return []


def _folders(root: Path, source: str) -> Iterator[Entry]:
    for folder in _subfolders(root):
        entry = _entry(folder, source)
        if entry is not None:
            yield entry


def _entry(folder: Path, source: str) -> Entry | None:
    """The model of a folder; None if it is damaged."""
    try:
        config = parse(_FolderConfig, files.read_text(folder / "config.json"))
        files.open_regular(folder / "model.safetensors").close()  # opening a pipe would wait
        with safe_open(folder / "model.safetensors", framework="numpy"):
            pass  # this compares the header with the size of the file
    except (OSError, UnicodeDecodeError, SettingError, SafetensorError) as error:
        log.warning("The model in %s is damaged and left out: %s", folder, error)
        return None
    name = config.architecture.name
    network, data = name.replace("resnet", "ResNet-").replace("plain", "Plain-"), config.trained_on or "unknown data"
    title = f"{network} ({data})" if folder.parent == SHIPPED else f"{folder.name} ({network}, {data})"
    return Entry(folder.name, title, name, len(config.classes), config.test_accuracy, config.trained_on, source)


def well_known() -> Iterator[Entry]:
    """Table 1's networks with timm's weights, and the accuracy that timm publishes."""
    for recipe, accuracies in TIMM_TOP1.items():
        for depth, accuracy in accuracies.items():
            yield Entry(
                name=f"timm/resnet{depth}.{recipe}_in1k",
                title=f"ResNet-{depth} (ImageNet, {TIMM_RECIPES[recipe]})",
                architecture=f"resnet{depth}",
                classes=1000,
                test_accuracy=accuracy,
                trained_on="ImageNet-1k",
                source="Hugging Face Hub; accuracy: timm's published top-1 at 224",
            )
