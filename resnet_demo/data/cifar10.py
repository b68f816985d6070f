"""CIFAR-10 on the Hugging Face Hub: its files, and whether they are in the local cache. No torch here."""

from __future__ import annotations

from resnet_demo.hub import fetch

REPOSITORY = "uoft-cs/cifar10"
TRAIN, TEST = (f"plain_text/{part}-00000-of-00001.parquet" for part in ("train", "test"))
FILES = (TRAIN, TEST)
MEGABYTES = 136


def is_local() -> bool:
    """Whether a run can train on it without a network."""
    return fetch.is_cached(REPOSITORY, *FILES, kind="dataset")
