"""How long a run of transfer learning takes, before it starts. No torch here.

Its own networks are never timed: the speed in multiply-adds a second is that of the fastest network that was timed here.
A frozen base costs one forward pass over every picture; what the head costs then is next to nothing.
"""

from __future__ import annotations

from resnet_demo.config import RunConfig
from resnet_demo.data.cifar10 import TEST_IMAGES
from resnet_demo.data.folders import data_folder, list_folder
from resnet_demo.errors import DataError
from resnet_demo.model.cost import cost
from resnet_demo.transfer.settings import class_counts

FORWARD_AND_BACKWARD = 3  # a training step costs about three forward passes
HEAD_STEP_SECONDS = 0.002  # two cores, features of 64 to 2,048 numbers
START_SECONDS = 2.0  # the pictures are read, the base is loaded


def picture_counts(config: RunConfig) -> tuple[int, int]:
    """The training pictures of a transfer, those set aside among them, and the test pictures; none of a set that is gone."""
    data = config.data
    try:
        train = sum(class_counts(data.source, data.train_limit))
        test = TEST_IMAGES.get(data.source) or len(list_folder(data_folder(data.source))[2])
    except DataError:
        return 0, 0
    return train, min(test, data.test_limit or test)


def transfer_seconds(config: RunConfig, multiply_adds_per_second: float) -> float:
    """Seconds that a transfer takes on a machine of this speed; 0 for another run."""
    plan = config.transfer
    if plan is None:
        return 0.0
    train, test = picture_counts(config)
    picture = cost(config.arms[0].model, config.data.image_size).multiply_adds / multiply_adds_per_second
    passes = 1 if plan.cache_features else max(-(-plan.head_steps * config.batch // max(train, 1)), 1)
    frozen = picture * (train * max(plan.views, 1) * passes + test)
    trained_steps = config.steps - plan.head_steps
    trained = FORWARD_AND_BACKWARD * picture * config.batch * trained_steps
    measured = picture * (train + test) if trained_steps else 0.0
    return START_SECONDS + frozen + plan.head_steps * HEAD_STEP_SECONDS + trained + measured
