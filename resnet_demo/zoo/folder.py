"""A trained model in a folder, in the Hub's own layout: config.json, model.safetensors, README.md.

config.json holds the architecture, the names of the classes and the preprocessing; weights never travel
without them. Loading is strict: every entry must exist, have the right shape and type, and be finite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import SettingError, WeightsError
from resnet_demo.files import open_regular, read_text, write_atomically
from resnet_demo.model.resnet import ResNet
from resnet_demo.parsing import ClassName, Frozen, parse
from resnet_demo.zoo.forward_check import check_answers

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class ModelFolder(Frozen):
    """The content of config.json."""

    library: str = "resnet-lab"
    architecture: ModelConfig
    classes: tuple[ClassName, ...] = Field(strict=False)
    preprocessing: Preprocessing
    test_accuracy: float | None = Field(None, ge=0, le=1, description="Share of right answers on the data set's test images.")
    trained_on: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Weights:
    """A model in evaluation mode with all that belongs to it. Several requests share the model: never change it."""

    name: str
    model: ResNet
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    card: Mapping[str, Any] = field(default_factory=dict)


def write(folder: Path, content: ModelFolder, state: Mapping[str, Tensor], card: str) -> None:
    """Write a model folder; each file is replaced atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    write_atomically(folder / WEIGHTS, save(tensors, metadata={"format": "pt"}))
    write_atomically(folder / CONFIG, (content.model_dump_json(indent=1) + "\n").encode())
    write_atomically(folder / CARD, card.encode())


def rounded_to_half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state with its floats rounded to float16, which `write` stores in half the bytes and `load` reads as float32."""
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def read_config(folder: Path) -> ModelFolder:
    """The validated content of a folder's config.json.

    Raises:
        WeightsError: there is none, or it is not in our layout.
    """
    try:
        return parse(ModelFolder, read_text(folder / CONFIG))
    except FileNotFoundError as error:
        raise WeightsError(f"There is no model in {folder}: it has no {CONFIG}.") from error
    except OSError as error:
        raise WeightsError(f"{folder / CONFIG} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise WeightsError(f"{folder / CONFIG} is not a text file.") from error
    except SettingError as error:
        raise WeightsError(f"{folder / CONFIG} does not describe a model of this project: {error}") from error


def load(folder: Path) -> Weights:
    """Load a model folder onto the CPU.

    Raises:
        WeightsError: a file is missing or damaged, or the weights do not fit the architecture.
    """
    return assemble(folder.name, read_config(folder), folder / WEIGHTS)


def assemble(name: str, content: ModelFolder, path: Path) -> Weights:
    """The model that `content` describes, with the weights of a safetensors file, on the CPU.

    Raises:
        WeightsError: the file is missing or damaged, does not fit the architecture, or gives answers that are not finite.
    """
    if len(content.classes) != content.architecture.classes:
        raise WeightsError(
            f"{CONFIG} of {name} names {len(content.classes)} classes for {content.architecture.classes} outputs."
        )
    model = fill(content.architecture, path)
    check_answers(name, model, content.preprocessing)
    card = {"test_accuracy": content.test_accuracy, "trained_on": content.trained_on, "licence": content.licence}
    return Weights(name, model, content.preprocessing, content.classes, card)


def fill(architecture: ModelConfig, path: Path) -> ResNet:
    """A network of that architecture with the weights of a safetensors file, in evaluation mode.

    Raises:
        WeightsError: names the missing, unexpected, misshapen or non-finite entries.
    """
    with torch.device("meta"):
        model = ResNet(architecture)
    expected = model.state_dict()
    try:
        open_regular(path).close()  # opening a pipe would wait
        with safe_open(path, framework="pt") as file:  # reads the header only, until a tensor is asked for
            names = set(file.keys())
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names & expected.keys()}
            _refuse_differences(path, expected, names, shapes)
            state = {name: file.get_tensor(name) for name in expected if name in names}
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WeightsError(f"{path} cannot be read as safetensors: {reason}.") from error
    return fill_from(model, state, str(path))


def fill_from(model: ResNet, state: dict[str, Tensor], origin: str) -> ResNet:
    """Load tensors into a network on the meta device; counters of batches may be missing.

    Raises:
        WeightsError: names the missing, unexpected, misshapen, mistyped or non-finite entries.
    """
    expected = model.state_dict()
    check_tensors(state, origin)
    _refuse_differences(origin, expected, set(state), {name: tuple(tensor.shape) for name, tensor in state.items()})
    tensors = {name: torch.zeros((), dtype=torch.int64) for name in expected if name.endswith("num_batches_tracked")}
    for name, tensor in state.items():
        if tensor.is_floating_point() != expected[name].is_floating_point():
            raise WeightsError(f"{origin} does not fit: {name} is {tensor.dtype}, not {expected[name].dtype}.")
        tensors[name] = values = tensor.to(expected[name].dtype, copy=True)  # aligned, and independent of the file
        if not torch.isfinite(values).all():  # after the cast: float64 holds more than float32
            raise WeightsError(f"{origin} holds values that are not finite numbers, in {name}.")
        if name.endswith("running_var") and (values < 0).any():
            raise WeightsError(f"{origin} holds a variance below zero, in {name}.")
    model.load_state_dict(tensors, assign=True)
    return model.eval().requires_grad_(False)


def check_tensors(state: Mapping[str, Tensor], origin: str) -> None:
    """Refuse tensors that are not dense, or not in a common float format.

    Raises:
        WeightsError: names the first sparse, nested or quantized tensor, or one of another float format.
    """
    for name, tensor in state.items():
        is_plain = tensor.layout is torch.strided and not tensor.is_nested and tensor.device.type == "cpu"
        if not is_plain or (tensor.is_floating_point() and tensor.dtype not in FLOATS):
            kind = str(tensor.dtype if is_plain else tensor.layout).removeprefix("torch.")
            raise WeightsError(
                f"{origin} holds a tensor of a kind that is not read here, {name} ({kind}): save it as a dense tensor of "
                "float16, bfloat16, float32 or float64."
            )


def _refuse_differences(
    origin: object, expected: Mapping[str, Tensor], names: set[str], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    missing = [name for name in expected if name not in names and not name.endswith("num_batches_tracked")]
    unexpected = sorted(names - expected.keys())
    misshapen = [
        f"{name} {shapes[name]} for {tuple(expected[name].shape)}"
        for name in expected
        if name in shapes and shapes[name] != tuple(expected[name].shape)
    ]
    faults = (("missing", missing), ("unexpected", unexpected), ("misshapen", misshapen))
    differences = [
        f"{len(entries)} {kind} ({', '.join(entries[:3])}{', …' if len(entries) > 3 else ''})"
        for kind, entries in faults
        if entries
    ]
    if differences:
        raise WeightsError(f"{origin} does not fit the architecture: {'; '.join(differences)}.")
