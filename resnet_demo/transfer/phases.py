"""The phases of a transfer, which the ordinary loop trains one after the other.

head          the new head learns on the features of the frozen base (without the cache: on pictures, through the base)
fine-tuning   the head and the last stages learn on pictures, more slowly
scratch       for comparison, the same network from scratch, on the same batches of pictures, for as many steps
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from resnet_demo.config import RunConfig, TransferConfig
from resnet_demo.data.augment import normalize
from resnet_demo.evaluation.predictions import loss_and_error
from resnet_demo.model.resnet import ResNet
from resnet_demo.training.assemble import Phase, optimizer, plan_of
from resnet_demo.training.events import PhaseName
from resnet_demo.training.loop import Arm, Autocast, Measure
from resnet_demo.transfer.features import BATCH, FeaturePass
from resnet_demo.transfer.networks import PartlyFrozen, last_stages
from resnet_demo.transfer.pictures import Pictures, TransferData
from resnet_demo.transfer.settings import SCRATCH, TRANSFER
from resnet_demo.transfer.streams import Draws, Take, take_features, take_pictures


@dataclass(frozen=True)
class Transfer:
    """Everything that a transfer trains and measures with.

    Args:
        config: the settings of the run.
        settings: those of the transfer.
        data: the pictures.
        features: computes features by the base, which nothing changes.
        networks: by the name of their arm, on the device, in their initial state.
        device: of the run.
        autocast: returns a context that computes a forward pass in the run's number format.
        train: features of the training pictures, (views, N, C); None if they are not cached.
        validation: features of the validation pictures, (N, C); None likewise.
    """

    config: RunConfig
    settings: TransferConfig
    data: TransferData
    features: FeaturePass
    networks: dict[str, ResNet]
    device: torch.device
    autocast: Autocast
    train: Tensor | None
    validation: Tensor | None

    def reads_features(self, name: str, step: int) -> bool:
        """Whether the network of this arm is, after so many steps, the base with a new head: its answers need features only."""
        is_tuned = name == SCRATCH or (name == TRANSFER and self.settings.fine_steps > 0 and step > self.settings.head_steps)
        return self.train is not None and not is_tuned

    def answers(self, network: nn.Module, pictures: Pictures, target: Tensor) -> Iterator[tuple[int, int]]:
        """Fill `target`, (N, classes) float32 on the CPU, with a network's answers; yields like FeaturePass.fill."""
        network.eval()
        for start in range(0, len(pictures), BATCH):
            part = range(start, min(start + BATCH, len(pictures)))
            images = normalize(pictures.crops(part), pictures.preprocessing.mean, pictures.preprocessing.std)
            with torch.no_grad(), self.autocast():
                target[part.start : part.stop] = network(images.to(self.device)).float().cpu()
            yield len(part), 0

    def phases(self) -> tuple[Phase, ...]:
        """The phases, in the order of their steps."""
        settings, config = self.settings, self.config
        tuned = settings.head_steps + settings.fine_steps
        phases = [self._head()]
        if settings.fine_steps:
            network = self.networks[TRANSFER]
            parts = last_stages(network, settings.unfreeze)
            arm = self._arm(TRANSFER, self._partly_frozen(parts), parts)
            phases.append(
                self._on_pictures("fine-tuning", arm, settings.head_steps, settings.fine_steps, settings.fine_learning_rate)
            )
        if config.steps > tuned:
            network = self.networks[SCRATCH]
            arm = self._arm(SCRATCH, network, [network])
            phases.append(self._on_pictures("scratch", arm, tuned, config.steps - tuned))
        return tuple(phases)

    def _head(self) -> Phase:
        steps = self.settings.head_steps
        if self.train is None or self.validation is None:
            head: list[nn.Module] = [self.networks[TRANSFER].fc]
            return self._on_pictures("head", self._arm(TRANSFER, self._partly_frozen(head), head), 0, steps)
        arms = tuple(self._arm(name, network.fc, [network.fc]) for name, network in self.networks.items() if name != SCRATCH)
        stream = self._stream(take_features(self.train))
        measure = partial(_measure_features, features=self.validation, labels=self.data.validation.labels, device=self.device)
        plan = plan_of(self.config, 0, steps)
        return Phase(arms, {arms[0].seed: stream}, plan, nullcontext, measure if len(self.validation) else None, 0, "head")

    def _on_pictures(self, name: PhaseName, arm: Arm, first: int, steps: int, rate: float = 0.0) -> Phase:
        """A phase in which one network learns on pictures, as a whole or in part."""
        # The scratch phase draws the batches that the others drew; fine-tuning goes on where the head's phase ended.
        stream = self._stream(
            take_pictures(self.data.train, augment=self.config.data.augment), skip=first if name == "fine-tuning" else 0
        )
        plan = plan_of(self.config, first, steps, rate)
        measure: Measure | None = self._measure_pictures if len(self.data.validation) else None
        return Phase((arm,), {arm.seed: stream}, plan, self.autocast, measure, first, name)

    def _stream(self, take: Take, skip: int = 0) -> Draws:
        return Draws(self.data.train.labels, self.config.batch, self.config.arms[0].seed, take, self.device, skip)

    def _partly_frozen(self, parts: Iterable[nn.Module]) -> PartlyFrozen:
        return PartlyFrozen(self.networks[TRANSFER], tuple(parts), train_batch_norm=self.settings.train_batch_norm)

    def _arm(self, name: str, model: nn.Module, parts: Iterable[nn.Module]) -> Arm:
        """An arm whose optimizer has the parameters of these parts alone."""
        return Arm(name, self.config.arms[0].seed, model, optimizer(nn.ModuleList(parts), self.config.optimizer), model)

    def _measure_pictures(self, model: nn.Module, /, *, side: int | None = None) -> tuple[float, float]:
        """Loss and error on the validation pictures."""
        assert side is None  # a transfer's pictures have one size
        was_training, pictures = model.training, self.data.validation
        answers = torch.empty(len(pictures), self.config.arms[0].model.classes)
        for _ in self.answers(model, pictures, answers):
            pass
        model.train(was_training)
        return loss_and_error(answers, pictures.labels)


def _measure_features(
    head: nn.Module, /, *, features: Tensor, labels: Tensor, device: torch.device, side: int | None = None
) -> tuple[float, float]:
    assert side is None  # features have none
    return loss_and_error(head_answers(head, features, device), labels)


def head_answers(head: nn.Module, features: Tensor, device: torch.device) -> Tensor:
    """The answers of a head: features (N, C) -> (N, classes) float32, on the CPU. Its mode is restored."""
    was_training = head.training
    head.eval()
    with torch.no_grad():
        answers: Tensor = head(features.to(device)).float().cpu()
    head.train(was_training)
    return answers
