from __future__ import annotations

import numpy
import pytest

from resnet_demo.data.cifar10 import BUNDLED_FILES
from resnet_demo.data.dataset import CIFAR10_CLASSES, read_cifar10
from resnet_demo.data.image import read
from resnet_demo.files import EXAMPLES
from resnet_demo.inference.examples import EXAMPLE_PICTURES, SOURCES


def test_eight_pictures_ship_each_with_its_source_and_licence() -> None:
    assert len(EXAMPLE_PICTURES) == 8
    assert len({example.title for example in EXAMPLE_PICTURES}) == 8
    for example in EXAMPLE_PICTURES:
        assert example.source
        assert example.licence
        assert max(read(example.path).size) <= 512
    named = {example.path.name for example in EXAMPLE_PICTURES} | {SOURCES}
    assert {path.name for path in EXAMPLES.iterdir()} == named  # no picture without a source
    assert sum(path.stat().st_size for path in EXAMPLES.iterdir()) < 600_000


@pytest.mark.parametrize("label", ["cat", "ship", "airplane", "frog"])
def test_the_cifar10_examples_are_the_first_test_images_of_their_classes_without_loss(label: str) -> None:
    test = read_cifar10(BUNDLED_FILES["test"])
    first = test.images[test.labels.tolist().index(CIFAR10_CLASSES.index(label))].permute(1, 2, 0).numpy()
    assert numpy.array_equal(numpy.asarray(read(EXAMPLES / f"cifar10-{label}.png")), first)
