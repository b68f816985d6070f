"""What a transfer needs before it trains: the pictures, the base, and its features of the pictures.

`prepare` is given to session.run (`preparation_of`): everything else of a run's life is that of any other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import psutil
import torch

from resnet_demo.config import RunConfig, TransferConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import RunError
from resnet_demo.hub import fetch
from resnet_demo.model.resnet import ResNet, build
from resnet_demo.training import checkpoint, fetching, machine
from resnet_demo.training.assemble import Assembly, Origin, precision_of
from resnet_demo.training.events import Event, FeaturesComputed, RunPaused, RunStopped
from resnet_demo.training.record import Record
from resnet_demo.training.session import Prepare, Session
from resnet_demo.transfer import networks, pictures, report, result
from resnet_demo.transfer.features import FeatureCache, FeaturePass
from resnet_demo.transfer.phases import Transfer
from resnet_demo.transfer.pictures import TransferData
from resnet_demo.transfer.settings import SCRATCH
from resnet_demo.zoo import repository
from resnet_demo.zoo.folder import CONFIG, WEIGHTS, Weights

SECONDS = 0.5  # between two events
SHARE_OF_MEMORY = 0.5  # that features may take


def preparation_of(config: RunConfig, remark: result.Remark = lambda *_: "") -> Prepare | None:
    """How session.run prepares this run: None, the ordinary way, for one that is not a transfer. Its card has the remark."""
    return partial(prepare, settings=config.transfer, remark=remark) if config.transfer else None


def prepare(session: Session, *, settings: TransferConfig, remark: result.Remark) -> Generator[Event, None, Assembly | None]:
    """Fetch data and base, compute the features that are not cached, and assemble the phases.

    Returns:
        What the run trains with; None if it was asked to end meanwhile.

    Raises:
        RunError: the base or the data are not those that the run was set up for, or there is too little memory.
        DataError, WeightsError, HubError: the data or the base cannot be had.
    """
    if session.world_size > 1:
        raise RunError("A transfer trains in one process: start it without torchrun.")
    config, device = session.config, session.machine.device
    saved = checkpoint.read(Record(session.folder).checkpoint) if session.resume else None
    start = int(saved["step"]) if saved else 0
    for what, download in (
        ("CIFAR-10", partial(_download_data, config)),
        (settings.base, partial(_download_base, settings.base)),
    ):
        is_local = yield from fetching.fetch(what, download, session.ask, step=start)
        if not is_local:
            return None
    base = networks.load_base(settings.base)
    data = pictures.load(config.data, settings.validation, preprocessing_of(base, config), session.load)
    arms = {arm.name: _network(base, config, index) for index, arm in enumerate(config.arms)}
    if len(data.classes) != config.arms[0].model.classes:
        raise RunError(f"{data.name} has {len(data.classes)} classes; the network has {config.arms[0].model.classes}.")
    precision = precision_of(config, session.machine, saved)
    autocast = partial(machine.autocast, device, precision)
    weights = networks.digest(base.model)
    if saved and saved.get("base", weights) != weights:
        raise RunError(f"{base.name} has other weights than when this run began: put the former ones back, or start a new run.")
    on_device = base.model.to(device).to(memory_format=torch.channels_last).eval()
    features = FeaturePass(on_device, weights, precision, autocast, FeatureCache())
    transfer = Transfer(
        config, settings, data, features,
        {name: network.to(device).to(memory_format=torch.channels_last) for name, network in arms.items()}, device, autocast,
        *_targets(settings, data, features),
    )  # fmt: skip
    is_complete = yield from compute(session, start, "training", *_feature_passes(transfer))
    return _assembled(transfer, session, saved, start, remark) if is_complete else None


def preprocessing_of(base: Weights, config: RunConfig) -> Preprocessing:
    """The whole centred square at the side of the run, resized and normalized as the base's weights expect (or to 0..1)."""
    side = config.data.image_size
    changes: dict[str, Any] = {"image_size": side, "resize": side}
    if config.transfer and config.transfer.normalization == "unit":
        changes |= {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    return base.preprocessing.model_copy(update=changes)


def compute(
    session: Session, step: int, purpose: Literal["training", "report"], total: int, passes: Iterable[tuple[int, int]]
) -> Generator[Event, None, bool]:
    """Do forward passes that train nothing; yields how many pictures they did, twice a second.

    Returns:
        Whether all were done. If not, the run was asked to end; a RunPaused or RunStopped event was yielded if due.
    """
    done, cached, begin, last_event = 0, 0, time.perf_counter(), -SECONDS
    for count, from_cache in passes:
        done, cached = done + count, cached + from_cache
        if time.perf_counter() - last_event >= SECONDS or done == total:
            last_event = time.perf_counter()
            yield FeaturesComputed(step=step, purpose=purpose, done=done, total=total, cached=cached)
        match session.ask():
            case "pause":
                yield RunPaused(step=step)
                return False
            case "stop" if not step:  # one that has trained is measured before it stops
                yield RunStopped(step=step, seconds=time.perf_counter() - begin)
                return False
            case "leave":
                return False
    return True


def _download_data(config: RunConfig, should_cancel: Callable[[], bool]) -> Iterator[tuple[int, int]]:
    from resnet_demo.data import dataset

    return dataset.download(config.data, should_cancel)


def _download_base(name: str, should_cancel: Callable[[], bool]) -> Iterator[tuple[int, int]]:
    """Download the base from the Hub unless it is local; config.json first, which says how large the weights may be."""
    place = networks.base_place(name)
    if isinstance(place, Path):
        return
    yield from fetch.download_file(place, CONFIG, should_cancel=should_cancel, max_bytes=repository.LARGEST_CONFIG)
    limit = repository.most_bytes(repository.describe(place).architecture)
    yield from fetch.download_file(place, WEIGHTS, should_cancel=should_cancel, max_bytes=limit)


def _network(base: Weights, config: RunConfig, index: int) -> ResNet:
    arm = config.arms[index]
    return build(arm.model, arm.seed) if arm.name == SCRATCH else networks.with_new_head(base, arm.model, arm.seed)


def _targets(
    settings: TransferConfig, data: TransferData, features: FeaturePass
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Room for the features of the training and the validation pictures; None if they are not cached."""
    if not settings.cache_features:
        return None, None
    shapes = (max(settings.views, 1), len(data.train), features.channels), (len(data.validation), features.channels)
    size, free = 4 * sum(torch.Size(shape).numel() for shape in shapes), psutil.virtual_memory().available
    if size > SHARE_OF_MEMORY * free:
        raise RunError(
            f"The features need {size / 1e9:.1f} GB of memory; {free / 1e9:.1f} GB are free. Take fewer views or fewer pictures."
        )
    return torch.empty(shapes[0]), torch.empty(shapes[1])


def _feature_passes(transfer: Transfer) -> tuple[int, Iterator[tuple[int, int]]]:
    """How many pictures pass through the base before the training, and the passes."""
    if transfer.train is None or transfer.validation is None:
        return 0, iter(())
    data, views = transfer.data, transfer.settings.views
    fills = [transfer.features.fill(transfer.validation, data.validation)]
    fills += [
        transfer.features.fill(target, data.train, number if views else None) for number, target in enumerate(transfer.train)
    ]
    return len(data.validation) + len(transfer.train) * len(data.train), chain.from_iterable(fills)


def _assembled(
    transfer: Transfer, session: Session, saved: dict[str, Any] | None, start: int, remark: result.Remark
) -> Assembly:
    data = transfer.data
    assembly = Assembly(
        config=session.config, origin=Origin(
            data.name, data.classes, data.train.preprocessing, data.skipped, transfer.features.weights
        ),
        phases=transfer.phases(), networks=transfer.networks, precision=transfer.features.precision, start=start,
        seconds_before=float(saved["seconds"]) if saved else 0.0,
        card=partial(result.card, config=session.config, data=data.name, remark=remark),
        report=partial(report.report, transfer, partial(compute, session)),
    )  # fmt: skip
    if saved:
        assembly.load_checkpoint(saved)
    return assembly
