"""Time a few steps of a network, for the page's estimate of how long a run will take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from resnet_demo.config import ArmConfig, DataConfig, ModelConfig, RunConfig
from resnet_demo.data import dataset
from resnet_demo.data.batches import Batches
from resnet_demo.evaluation import predictions
from resnet_demo.training import machine
from resnet_demo.training.assemble import new_arm, plan_of
from resnet_demo.training.loop import train
from resnet_demo.training.machine import Machine

NETWORKS = 2  # a comparison trains at least a plain and a residual one
STEPS = 8


def time_steps(
    model: ModelConfig,
    config: RunConfig,
    on: Machine,
    load: Callable[[DataConfig], dataset.Dataset] = dataset.load,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[float, float] | None:
    """Seconds that each network of a comparison adds on this machine to a training step, and to measuring one test image.

    Two copies of the network train for a few steps as a comparison does, and half of the median step is what one of them adds.
    The images are the bundled ones whatever the data of the run, as only their size matters. Returns None if it was stopped.

    Args:
        model: the network.
        config: the run with the batch, image size and precision.
        on: the machine that trains.
        load: loads the data set.
        should_stop: called after each step; if it returns true, timing stops.
    """
    data = load(DataConfig(image_size=config.data.image_size, augment=config.data.augment, padding=config.data.padding))
    data = replace(data, test=data.test[:200]).to(on.device)
    arm = ArmConfig(name="timed", model=model.model_copy(update={"classes": len(data.classes)}))
    short_run = config.model_copy(update={"arms": (arm,), "steps": STEPS, "log_every": 1})
    stream = Batches(data, config.data, config.batch, 0)
    precision = on.faster_precision if config.precision == "auto" else config.precision
    autocast = partial(machine.autocast, on.device, precision)
    measure = partial(predictions.measure_error, data=data, autocast=autocast)
    plan = replace(plan_of(short_run), side=lambda _step: None, evaluate_every=0, diagnose_every=0, checkpoint_every=0)
    copies = [new_arm(short_run, 0, on.device) for _ in range(NETWORKS)]
    with machine.side_by_side(NETWORKS, on.device) as each:
        times = {0: time.perf_counter()}
        for event in train(
            copies, {0: stream}, plan, autocast=autocast, measure=measure, save=lambda _: None, should_stop=should_stop,
            each=each,
        ):  # fmt: skip
            times.setdefault(event.step, time.perf_counter())
        if len(times) <= STEPS:
            return None
        evaluations = []
        for _ in range(2):
            start = time.perf_counter()
            list(each(measure, [copy.model for copy in copies]))
            evaluations.append(time.perf_counter() - start)
    steps = [times[step] - times[step - 1] for step in range(3, STEPS + 1)]
    return statistics.median(steps) / NETWORKS, min(evaluations) / len(data.test) / NETWORKS
