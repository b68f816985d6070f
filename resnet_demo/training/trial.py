"""Time a few steps of a network, for the page's estimate of how long a run will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from resnet_demo.config import ArmConfig, DataConfig, ModelConfig, RunConfig
from resnet_demo.data import dataset
from resnet_demo.data.batches import Batches
from resnet_demo.evaluation import predictions
from resnet_demo.training import machine, session
from resnet_demo.training.events import TrainingPoint
from resnet_demo.training.loop import train


def time_steps(
    model: ModelConfig, config: RunConfig, should_stop: Callable[[], bool] = lambda: False
) -> tuple[float, float] | None:
    """What training costs here: the median seconds of a few steps of that network, and seconds of judging one picture.

    The pictures are those that ship, whatever the run will see: only their size matters.

    Args:
        model: the network.
        config: the run whose batch, picture size and precision count.
        should_stop: asked after each step; when true, there is no answer.
    """
    device = machine.device()
    data = session.load(DataConfig(image_size=config.data.image_size, augment=config.data.augment, padding=config.data.padding))
    data = dataset.Dataset(data.name, data.classes, data.train.to(device), data.test[:200].to(device), data.mean, data.std)
    arm = ArmConfig(name="timed", model=model.model_copy(update={"classes": len(data.classes)}))
    timed = config.model_copy(update={"arms": (arm,), "steps": 8, "log_every": 1})
    stream = Batches(data, config.data, config.batch, 0)
    precision = machine.faster_precision(device) if config.precision == "auto" else config.precision
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
    judging: list[float] = []

    def measure(model: nn.Module) -> tuple[float, float]:
        start = time.perf_counter()
        answers = predictions.logits(model, data.test, data.mean, data.std, autocast=autocast)
        judging.append(time.perf_counter() - start)
        return predictions.loss_and_error(answers, data.test.labels)

    plan = replace(session.plan_of(timed), evaluate_every=4, diagnose_every=0, checkpoint_every=0)
    points, last = [], time.perf_counter()
    arms = [session.new_arm(timed, 0, device)]
    for event in train(
        arms, {0: stream}, plan, autocast=autocast, measure=measure, save=lambda _: None, should_stop=should_stop
    ):
        now = time.perf_counter()
        if isinstance(event, TrainingPoint):
            points.append(now - last)
        last = now
    if len(points) < timed.steps:
        return None
    return sorted(points[2:])[len(points[2:]) // 2], min(judging) / len(data.test)
