"""The networks of the page's lists; those that must be downloaded are marked. No torch here."""

from __future__ import annotations

from huggingface_hub import constants

from resnet_demo.config import ModelConfig
from resnet_demo.hub import fetch
from resnet_demo.model.cost import cost
from resnet_demo.zoo.catalogue import Entry, available, is_hub_id, is_run_model, title_of

BYTES_PER_PARAMETER = 4


def choices(*names: str) -> list[tuple[str, str]]:
    """(title, name) of each network of the catalogue, and of those among `names` that a run has trained. Sends no request."""
    of_runs = [(title_of(name), name) for name in dict.fromkeys(names) if is_run_model(name)]
    return [*((entry.title + download_note(entry), entry.name) for entry in available()), *of_runs]


def download_note(entry: Entry) -> str:
    """The note after the title of a network that is not on this machine; empty for others."""
    if not is_hub_id(entry.name) or fetch.is_cached(entry.name, "config.json", "model.safetensors"):
        return ""
    parameters = cost(ModelConfig.named(entry.architecture, classes=entry.classes)).parameters
    size = f"{parameters * BYTES_PER_PARAMETER / 1e6:.0f} MB"
    return f": not here, {size}" if constants.HF_HUB_OFFLINE else f": {size} to download"
