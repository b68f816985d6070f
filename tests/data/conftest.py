"""The real CIFAR-10, read once for the tests marked `cifar10`."""

from __future__ import annotations

import pytest

from resnet_demo.config import DataConfig
from resnet_demo.data.dataset import Dataset, load


@pytest.fixture(scope="session")
def real_cifar10() -> Dataset:
    return load(DataConfig(source="cifar10"))
