"""Checkpoints of other projects: the tensors out of the file, their names in ours, the networks they may belong to.

The widely used CIFAR layouts (a state_dict under a key, `module.` in front of every name, `linear` for `fc`,
`shortcut` for `downsample`, the zeros of option A before and after the old channels) and torchvision's are understood.
A pickle is read with weights_only=True, and only because the operator named the file: nothing here is ever called with
what came from a page.
"""

from __future__ import annotations

import argparse
import pickle
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy
import torch
from safetensors.torch import load_file
from torch import Tensor

from resnet_demo.config import IMAGENET_STAGES, ModelConfig
from resnet_demo.errors import SettingError, WeightsError
from resnet_demo.files import open_regular
from resnet_demo.model.resnet import ResNet
from resnet_demo.parsing import parse
from resnet_demo.zoo.folder import check_tensors, fill_from

PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "encoder.", "state_dict.")
RENAMED = (  # their names -> ours
    (re.compile(r"^(linear|classifier|last_linear|head)\."), "fc."),
    (re.compile(r"^conv_1_3x3\."), "conv1."),
    (re.compile(r"^bn_1\."), "bn1."),
    (re.compile(r"^stage_?(\d)\."), r"layer\1."),
    (re.compile(r"^layers\.(\d+)\."), r"layer\1."),
    (re.compile(r"\.(conv|bn)_a\."), r".\g<1>1."),
    (re.compile(r"\.(conv|bn)_b\."), r".\g<1>2."),
    (re.compile(r"\.(shortcut|skip)\."), ".downsample."),
    (re.compile(r"\.downsample\.conv\."), ".downsample.0."),
    (re.compile(r"\.downsample\.bn\."), ".downsample.1."),
)
COUNTERS = re.compile(r"(^|\.)(n_averaged|total_ops|total_params)$")
"""Entries beside the weights: of torch's AveragedModel, and of a counter of operations that registers them as buffers."""
LARGEST_DEPTH_OF_SEARCH = 3  # a state_dict is looked for in dictionaries within dictionaries

_numpy_scalar = numpy.float64(0).__reduce__()[0]
HARMLESS: tuple[Any, ...] = (  # classes beside the tensors that a training script saves: its best accuracy, its options
    (_numpy_scalar, "numpy.core.multiarray.scalar"),  # NumPy 1's name
    (_numpy_scalar, "numpy._core.multiarray.scalar"),
    numpy.dtype,
    *(type(numpy.dtype(code)) for code in "?" + numpy.typecodes["AllInteger"] + numpy.typecodes["Float"]),
    argparse.Namespace,
)

Zeros = Literal["last", "around"]


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Reading:
    """One network that the names and shapes of a checkpoint allow, with its weights in our order of channels.

    Args:
        kind: in words.
        config: the network.
        state: the tensors under our names.
        zeros: where the checkpoint's shortcuts put option A's zeros; None without such shortcuts.
    """

    kind: str
    config: ModelConfig
    state: Mapping[str, Tensor]
    zeros: Zeros | None = None


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors, .pt, .pth or .th file under our names.

    Raises:
        WeightsError: the file cannot be read safely, or holds no state_dict.
    """
    content = _content(path)
    state = _largest_state(content, LARGEST_DEPTH_OF_SEARCH)
    if not state:
        raise WeightsError(f"{path} holds no state_dict: no dictionary of names and tensors is in it.")
    check_tensors(state, str(path))
    return rename(state)


def _content(path: Path) -> Any:
    try:
        open_regular(path).close()  # opening a pipe would wait
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals(list(HARMLESS)):
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"There is no file {path}.") from error
    except OSError as error:
        raise WeightsError(f"{path} cannot be read as a checkpoint: {error.strerror or error}.") from error
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} holds more than tensors (it would have to run code to be read), or is damaged. "
            "Save only the model's state_dict with torch.save, or as safetensors."
        ) from error
    except Exception as error:  # damaged files raise a dozen kinds
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise WeightsError(f"{path} cannot be read as a checkpoint ({reason}).") from error


def _largest_state(content: Any, depth: int) -> dict[str, Tensor]:
    """The dictionary with the most tensors, in `content` or in the dictionaries in it."""
    if not isinstance(content, Mapping):
        return {}
    own = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    inner = [_largest_state(value, depth - 1) for value in content.values()] if depth else []
    return max([own, *inner], key=len)


def rename(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under torchvision's names.

    Raises:
        WeightsError: two entries would get one name.
    """
    names = {name: name for name in state if not COUNTERS.search(name)}
    while prefix := next((p for p in PREFIXES if all(name.startswith(p) for name in names.values())), None):
        names = {theirs: name.removeprefix(prefix) for theirs, name in names.items()}
    for pattern, ours in RENAMED:
        names = {theirs: pattern.sub(ours, name) for theirs, name in names.items()}
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    if twice:
        raise WeightsError(f"The checkpoint has several entries that would be {twice[0]!r}: it holds more than one network.")
    return {ours: state[theirs] for theirs, ours in names.items()}


def recognise(state: Mapping[str, Tensor]) -> ModelConfig:
    """The network that fits the names and shapes.

    Option A shortcuts have no parameters, so a plain and a residual network look the same: this returns the residual
    one. Nor do names show which convolution of a bottleneck strides: this returns the 3×3, the common choice.

    Raises:
        WeightsError: it is not one of the paper's networks; the message says why.
    """
    first, classifier = state.get("conv1.weight"), state.get("fc.weight")
    if first is None or classifier is None or first.ndim != 4 or classifier.ndim != 2:
        some = ", ".join(list(state)[:4])
        raise WeightsError(
            f"The checkpoint is not a residual network of a known layout: it has no conv1 and fc, but {some}, …."
        )
    blocks = {(int(m[1]), int(m[2])) for name in state if (m := re.match(r"layer(\d)\.(\d+)\.", name))}
    stages = tuple(
        len({block for stage, block in blocks if stage == number}) for number in sorted({stage for stage, _ in blocks})
    )
    bottleneck = any(".conv3." in name for name in state)
    fields: dict[str, Any] = {
        "shortcut": "B" if any(".downsample." in name for name in state) else "A",
        "width": first.shape[0],
        "batch_norm": any(name.startswith("bn1.") for name in state),
        "classes": classifier.shape[0],
    }
    kernel = first.shape[-1]
    blocks_name = "bottleneck blocks" if bottleneck else "building blocks"
    description = f"{'×'.join(map(str, stages)) or 'no'} {blocks_name} after a {kernel}×{kernel} convolution"
    if kernel == 3 and len(stages) == 3 and len(set(stages)) == 1 and not bottleneck:
        fields |= {"design": "cifar", "depth": 6 * stages[0] + 2}
    else:
        kind = "bottleneck" if bottleneck else "basic"
        depth = next((depth for depth, design in IMAGENET_STAGES.items() if design == (kind, stages)), None)
        if kernel != 7 or depth is None:
            raise WeightsError(
                f"The checkpoint is a network of {description}, which is none of the paper's "
                "(3 equal stages after a 3×3 convolution, or ResNet-18, 34, 50, 101, 152 after a 7×7 one)."
            )
        fields |= {"design": "imagenet", "depth": depth}
    try:
        return parse(ModelConfig, fields)
    except SettingError as error:
        raise WeightsError(f"The checkpoint is a network of {description} that is out of range here: {error}") from error


def readings(config: ModelConfig, state: Mapping[str, Tensor]) -> list[Reading]:
    """The networks that a checkpoint of these names and shapes may be, the likeliest first.

    Option A's shortcuts have no parameters, so nothing shows where their zeros are, nor whether there are shortcuts.

    Args:
        config: what `recognise` returned, or its plain twin.
        state: tensors that fit `config`.
    """
    if not config.residual:
        return [Reading("plain", config, state)]
    if config.shortcut == "B":
        return [Reading("residual", config, state)]
    readings = [Reading("residual", config, state, "last")]
    if config.design == "cifar" and config.width % 2 == 0:  # half of the new channels are as many before as after
        readings.append(Reading("residual, zeros around", config, zeros_last(config, state), "around"))
    return [*readings, Reading("plain", config.model_copy(update={"residual": False}), state)]


def zeros_last(config: ModelConfig, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same CIFAR network for our option A, from one whose shortcuts put half of the zeros before the old channels.

    The channels that a stage passes on may stand in any order, as long as every layer that writes or reads them
    keeps to it. So the old channels move to the front, where our shortcut has them: the network computes the same.
    """
    orders = [torch.arange(config.width)] * 2  # of the stem's and of each stage's channels: ours[i] is theirs[order[i]]
    for _ in config.stages[1:]:
        old, half = orders[-1], len(orders[-1]) // 2
        orders.append(torch.cat([old + half, torch.arange(half), torch.arange(3 * half, 4 * half)]))

    def reordered(name: str, tensor: Tensor) -> Tensor:
        if name == "fc.weight":
            return tensor[:, orders[-1]]
        match = re.fullmatch(r"layer(\d)\.(\d+)\.(conv1\.weight|conv2\..+|bn2\..+)", name)
        if match is None or tensor.ndim == 0:  # the stem, the channels within a block, a counter of batches
            return tensor
        stage, block, layer = int(match[1]), int(match[2]), match[3]
        if layer == "conv1.weight":  # reads what the block before it wrote
            return tensor[:, orders[stage if block else stage - 1]]
        return tensor[orders[stage]]

    return {name: reordered(name, tensor) for name, tensor in state.items()}


def network(config: ModelConfig, state: Mapping[str, Tensor], origin: str) -> ResNet:
    """That network with these weights, in evaluation mode; strict, as every loading here.

    Raises:
        WeightsError: names the missing, unexpected, misshapen or non-finite entries.
    """
    with torch.device("meta"):
        model = ResNet(config)
    return fill_from(model, dict(state), origin)
