from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import WeightsError
from resnet_demo.model.resnet import build
from resnet_demo.zoo import folder

CLASSES = tuple("abcdefghij")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    architecture = ModelConfig.named("resnet8")
    content = folder.ModelFolder(
        architecture=architecture, classes=CLASSES, preprocessing=Preprocessing(mean=(0.1, 0.2, 0.3)), test_accuracy=0.5
    )
    folder.write(tmp_path / "mine", content, build(architecture, seed=3).state_dict(), "# A card")
    return tmp_path / "mine"


def change(written: Path, **changes: torch.Tensor | None) -> None:
    """Replace or remove entries of the weights; `__` in a name stands for a dot."""
    state = load_file(written / folder.WEIGHTS)
    for name, tensor in changes.items():
        key = name.replace("__", ".")
        state.pop(key, None)
        if tensor is not None:
            state[key] = tensor
    save_file(state, written / folder.WEIGHTS)


def test_what_is_written_is_what_is_loaded(written: Path) -> None:
    weights = folder.load(written)
    assert (weights.name, weights.classes, weights.preprocessing.mean) == ("mine", CLASSES, (0.1, 0.2, 0.3))
    assert weights.card["test_accuracy"] == 0.5
    expected = build(ModelConfig.named("resnet8"), seed=3).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights.model.state_dict().items())
    assert not weights.model.training
    assert not any(parameter.requires_grad for parameter in weights.model.parameters())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"fc__bias": None}, r"does not fit the architecture: 1 missing \(fc.bias\)"),
        ({"more": torch.zeros(1)}, r"1 unexpected \(more\)"),
        ({"fc__bias": torch.zeros(11)}, r"1 misshapen \(fc.bias \(11,\) for \(10,\)\)"),
        ({"fc__bias": torch.full((10,), torch.nan)}, "not finite numbers, in fc.bias"),
        ({"bn1__running_var": torch.full((16,), torch.inf)}, "not finite numbers, in bn1.running_var"),
        ({"fc__bias": torch.zeros(10, dtype=torch.int32)}, "fc.bias is torch.int32, not torch.float32"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(
    written: Path, changes: dict[str, torch.Tensor | None], sentence: str
) -> None:
    change(written, **changes)
    with pytest.raises(WeightsError, match=sentence):
        folder.load(written)


def test_counters_of_batches_may_be_missing_and_half_precision_is_widened(written: Path) -> None:
    bias = torch.arange(10, dtype=torch.float16) / 16
    change(written, bn1__num_batches_tracked=None, fc__bias=bias)
    model = folder.load(written).model
    assert int(model.bn1.num_batches_tracked) == 0
    assert torch.equal(model.fc.bias, bias.float())


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("config.json", None, "it has no config.json"),
        ("config.json", b"{", "does not describe a model of this project"),
        ("config.json", b"\xff\xfe", "is not a text file"),
        ("model.safetensors", None, "cannot be read as safetensors"),
        ("model.safetensors", b"", "cannot be read as safetensors"),
        ("model.safetensors", b"\xff" * 100, "cannot be read as safetensors"),
    ],
)
def test_a_damaged_folder_is_refused(written: Path, file: str, content: bytes | None, sentence: str) -> None:
    if content is None:
        (written / file).unlink()
    else:
        (written / file).write_bytes(content)
    with pytest.raises(WeightsError, match=sentence):
        folder.load(written)


def test_a_truncated_file_of_weights_is_refused(written: Path) -> None:
    content = (written / folder.WEIGHTS).read_bytes()
    (written / folder.WEIGHTS).write_bytes(content[:-1])
    with pytest.raises(WeightsError, match="cannot be read as safetensors"):
        folder.load(written)


def test_the_names_of_the_classes_must_be_as_many_as_the_outputs(written: Path) -> None:
    text = (written / folder.CONFIG).read_text()
    (written / folder.CONFIG).write_text(text.replace('"j"', '"j",\n"k"'))
    with pytest.raises(WeightsError, match=r"config.json of mine names 11 classes for 10 outputs"):
        folder.load(written)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"fc__bias": torch.full((10,), 1e300, dtype=torch.float64)}, r"not finite numbers, in fc\.bias"),
        ({"conv1__weight": torch.full((16, 3, 3, 3), 3e38)}, "answers ordinary pictures with numbers that are not finite"),
        ({"bn1__running_var": torch.full((16,), -0.5)}, r"a variance below zero, in bn1\.running_var"),
        (
            {"fc__bias": torch.zeros(10).to(torch.float8_e4m3fn)},
            r"not read here, fc\.bias \(float8_e4m3fn\): save it as a dense",
        ),
        ({"fc__bias": torch.zeros(10).to(torch.float8_e5m2)}, r"not read here, fc\.bias \(float8_e5m2\)"),
    ],
)
def test_weights_that_give_no_finite_answers_or_are_of_another_format_are_refused(
    written: Path, changes: dict[str, torch.Tensor | None], sentence: str
) -> None:
    change(written, **changes)
    with pytest.raises(WeightsError, match=sentence):
        folder.load(written)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_four_float_formats_are_read(written: Path, dtype: torch.dtype) -> None:
    change(written, fc__bias=torch.full((10,), 0.5, dtype=dtype))
    assert torch.equal(folder.load(written).model.fc.bias, torch.full((10,), 0.5))


@pytest.mark.parametrize(
    ("field", "value"),
    [("std", 0.0), ("std", 1e-300), ("std", 0.001), ("std", 1e308), ("std", -1.0), ("mean", 1e308), ("mean", -1e308)],
)
def test_a_normalization_that_no_picture_survives_is_refused(written: Path, field: str, value: float) -> None:
    content = json.loads((written / folder.CONFIG).read_text())
    content["preprocessing"][field] = [0.5, value, 0.5]
    (written / folder.CONFIG).write_text(json.dumps(content))
    with pytest.raises(WeightsError, match=rf"preprocessing\.{field}\.1: should be .* than .*\(given: "):
        folder.load(written)


@pytest.mark.parametrize(
    "name", ["", " ", "\u200d", "cat\x1b[31m", "a\nb", "a\0b", "\u202ecat", "ca\u2066t", "a\u2028b", "\ufeffcat"]
)
def test_names_of_classes_that_are_empty_or_steer_a_terminal_are_refused(written: Path, name: str) -> None:
    content = json.loads((written / folder.CONFIG).read_text())
    content["classes"][3] = name
    (written / folder.CONFIG).write_text(json.dumps(content))
    with pytest.raises(WeightsError, match=r"classes\.3: the name of a class (is empty|holds control)") as raised:
        folder.load(written)
    assert str(raised.value).isprintable()


def test_names_of_classes_in_any_script_are_read(written: Path) -> None:
    names = ["Katze", "猫", "می\u200cخواهم", "👩\u200d🚀", "क्\u200dष", "naïve", "a/b (c)", "e\u0301", "n°", "10"]
    content = json.loads((written / folder.CONFIG).read_text())
    (written / folder.CONFIG).write_text(json.dumps(content | {"classes": names}))
    assert folder.load(written).classes == tuple(names)


@pytest.mark.parametrize("file", [folder.CONFIG, folder.WEIGHTS])
def test_a_pipe_in_a_model_folder_is_refused_and_not_waited_for(written: Path, file: str) -> None:
    (written / file).unlink()
    os.mkfifo(written / file)
    with pytest.raises(WeightsError, match=rf"{file} cannot be read.*: it is not a regular file\.$"):
        folder.load(written)
