"""Checkpoints of other projects: the tensors out of the file, their names in ours, the network they belong to.

The widely used CIFAR layouts (a state_dict under a key, `module.` in front of every name, `linear` for `fc`,
`shortcut` for `downsample`) and torchvision's are understood. A pickle is read with weights_only=True, and only
because the operator named the file: nothing here is ever called with what came from a page.
"""

from __future__ import annotations

import pickle
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from resnet_demo.config import IMAGENET_STAGES, ModelConfig, parse
from resnet_demo.errors import SettingError, WeightsError
from resnet_demo.files import open_regular
from resnet_demo.model.resnet import ResNet
from resnet_demo.zoo.folder import check_tensors, fill_from

PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "encoder.", "state_dict.")
RENAMED = (  # theirs -> ours
    (re.compile(r"^(linear|classifier|last_linear|head)\."), "fc."),
    (re.compile(r"^conv_1_3x3\."), "conv1."),
    (re.compile(r"^bn_1\."), "bn1."),
    (re.compile(r"^stage_?(\d)\."), r"layer\1."),
    (re.compile(r"^layers\.(\d+)\."), r"layer\1."),
    (re.compile(r"\.(shortcut|skip)\."), ".downsample."),
)
LARGEST_DEPTH_OF_SEARCH = 3  # a state_dict is looked for in dictionaries within dictionaries


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
    return renamed(state)


def _content(path: Path) -> Any:
    try:
        open_regular(path).close()  # a pipe would be waited for
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
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
        told = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise WeightsError(f"{path} cannot be read as a checkpoint ({told}).") from error


def _largest_state(content: Any, depth: int) -> dict[str, Tensor]:
    """The dictionary with the most tensors, in `content` or in the dictionaries in it."""
    if not isinstance(content, Mapping):
        return {}
    own = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    inner = [_largest_state(value, depth - 1) for value in content.values()] if depth else []
    return max([own, *inner], key=len)


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under torchvision's names.

    Raises:
        WeightsError: two entries would get one name.
    """
    names = {name: name for name in state}
    while prefix := next((p for p in PREFIXES if all(name.startswith(p) for name in names.values())), None):
        names = {theirs: name.removeprefix(prefix) for theirs, name in names.items()}
    for pattern, ours in RENAMED:
        names = {theirs: pattern.sub(ours, name) for theirs, name in names.items()}
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    if twice:
        raise WeightsError(f"The checkpoint has several entries that would be {twice[0]!r}: it holds more than one network.")
    return {ours: state[theirs] for theirs, ours in names.items()}


def recognise(state: Mapping[str, Tensor]) -> ModelConfig:
    """The network that the names and shapes tell.

    Option A shortcuts have no parameters, so a plain network and a residual one look the same: this says
    residual. Nor do names tell which convolution of a bottleneck strides: this says the 3×3, as nearly all do.

    Raises:
        WeightsError: it is not one of the paper's networks; the sentence says why.
    """
    first, classifier = state.get("conv1.weight"), state.get("fc.weight")
    if first is None or classifier is None or first.ndim != 4 or classifier.ndim != 2:
        some = ", ".join(list(state)[:4])
        raise WeightsError(f"The checkpoint is no residual network that is known here: it has no conv1 and fc, but {some}, ….")
    found = {(int(m[1]), int(m[2])) for name in state if (m := re.match(r"layer(\d)\.(\d+)\.", name))}
    stages = tuple(
        len({block for stage, block in found if stage == number}) for number in sorted({stage for stage, _ in found})
    )
    bottleneck = any(".conv3." in name for name in state)
    given: dict[str, Any] = {
        "shortcut": "B" if any(".downsample." in name for name in state) else "A",
        "width": first.shape[0],
        "batch_norm": any(name.startswith("bn1.") for name in state),
        "classes": classifier.shape[0],
    }
    kernel = first.shape[-1]
    told = f"{'×'.join(map(str, stages)) or 'no'} {'bottleneck' if bottleneck else 'building'} blocks after a {kernel}×{kernel} convolution"
    if kernel == 3 and len(stages) == 3 and len(set(stages)) == 1 and not bottleneck:
        given |= {"design": "cifar", "depth": 6 * stages[0] + 2}
    else:
        kind = "bottleneck" if bottleneck else "basic"
        depth = next((depth for depth, known in IMAGENET_STAGES.items() if known == (kind, stages)), None)
        if kernel != 7 or depth is None:
            raise WeightsError(
                f"The checkpoint is a network of {told}, which is none of the paper's "
                "(3 equal stages after a 3×3 convolution, or ResNet-18, 34, 50, 101, 152 after a 7×7 one)."
            )
        given |= {"design": "imagenet", "depth": depth}
    try:
        return parse(ModelConfig, given)
    except SettingError as error:
        raise WeightsError(f"The checkpoint is a network of {told} that is out of range here: {error}") from error


def network(config: ModelConfig, state: Mapping[str, Tensor], origin: str) -> ResNet:
    """That network with these weights, in evaluation mode; strict, as every loading here.

    Raises:
        WeightsError: names the missing, unexpected, misshapen or non-finite entries.
    """
    with torch.device("meta"):
        model = ResNet(config)
    return fill_from(model, dict(state), origin)
