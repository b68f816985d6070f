from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from resnet_demo.config import ARCHITECTURES, ModelConfig
from resnet_demo.errors import WeightsError
from resnet_demo.model.resnet import ResNet, build
from resnet_demo.zoo import folder, foreign
from tests.zoo.other_projects import LAYOUTS, OtherNetwork, akamaster_of

State = dict[str, Tensor]


def changed(state: State, *changes: tuple[str, str]) -> State:
    for ours, theirs in changes:
        state = {name.replace(ours, theirs): tensor for name, tensor in state.items()}
    return state


def parallel(state: State) -> Any:
    """DataParallel's prefix, `linear`, the best precision beside the weights."""
    return {"state_dict": {f"module.{name}": t for name, t in changed(state, ("fc.", "linear.")).items()}, "best_prec1": 91.7}


def shortcuts(state: State) -> Any:
    """The layout with `shortcut` and `linear`, under the key `net`, with accuracy and epoch."""
    return {"net": changed(state, ("downsample", "shortcut"), ("fc.", "linear.")), "acc": 93.0, "epoch": 180}


def trainer(state: State) -> Any:
    """A whole training checkpoint, whose optimizer holds tensors too, from a compiled model."""
    momentum = {0: {"momentum_buffer": torch.zeros(3)}}
    model = {f"_orig_mod.{name}": tensor for name, tensor in state.items()}
    return {"model": model, "optimizer": {"state": momentum, "param_groups": []}, "step": 3}


def bare(state: State) -> Any:
    return state


@pytest.mark.parametrize("layout", [parallel, shortcuts, trainer, bare])
@pytest.mark.parametrize("shortcut", ["A", "B"])
@pytest.mark.parametrize("suffix", [".pt", ".th"])
def test_the_widely_used_layouts_are_read(tmp_path: Path, layout: Callable[[State], Any], shortcut: str, suffix: str) -> None:
    config = ModelConfig.named("resnet14", shortcut=shortcut)
    original = build(config, seed=2)
    torch.save(layout(dict(original.state_dict())), tmp_path / f"checkpoint{suffix}")
    state = foreign.read(tmp_path / f"checkpoint{suffix}")
    assert foreign.recognise(state) == config
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(foreign.network(config, state, "it")(x), original.eval()(x))


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file(
        changed(dict(build(ModelConfig.named("resnet8")).state_dict()), ("fc.", "classifier.")), tmp_path / "m.safetensors"
    )
    assert foreign.recognise(foreign.read(tmp_path / "m.safetensors")) == ModelConfig.named("resnet8")


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if not name.endswith("1202")])
def test_every_architecture_is_recognised_from_names_and_shapes(name: str) -> None:
    config = ModelConfig.named(name, classes=7)
    with torch.device("meta"):
        found = foreign.recognise(ResNet(config).state_dict())
    if config.residual:
        assert found == config
    else:  # no parameter tells a plain network from a residual one with option A
        assert found == config.model_copy(update={"residual": True, "shortcut": "A"})


def test_width_and_missing_batch_norm_are_recognised() -> None:
    config = ModelConfig.named("resnet8", width=8, batch_norm=False)
    assert foreign.recognise(build(config).state_dict()) == config


class Payload:
    """Would run code when unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("ran"),)


def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "more": Payload()}, tmp_path / "bad.pt")
    with pytest.raises(WeightsError, match="holds more than tensors"):
        foreign.read(tmp_path / "bad.pt")
    assert not (tmp_path / "ran").exists()


def test_a_whole_pickled_model_is_refused(tmp_path: Path) -> None:
    torch.save(build(ModelConfig.named("resnet8")), tmp_path / "whole.pt")
    with pytest.raises(WeightsError, match="Save only the model's state_dict"):
        foreign.read(tmp_path / "whole.pt")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04" + bytes(50), b"\x80\x02."])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / f"bad{suffix}").write_bytes(content)
    with pytest.raises(WeightsError, match=rf"bad\{suffix} (cannot be read as a checkpoint|holds more than tensors)"):
        foreign.read(tmp_path / f"bad{suffix}")


def test_a_file_that_is_not_there_or_holds_no_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="There is no file"):
        foreign.read(tmp_path / "none.pt")
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    with pytest.raises(WeightsError, match="holds no state_dict"):
        foreign.read(tmp_path / "empty.pt")


def test_networks_that_are_not_the_paper_s_are_refused_by_what_they_are() -> None:
    four_stages = build(ModelConfig.named("resnet18", classes=10)).state_dict()
    four_stages["conv1.weight"] = torch.zeros(64, 3, 3, 3)  # ResNet-18 with a stem for small pictures
    with pytest.raises(
        WeightsError, match="a network of 2×2×2×2 building blocks after a 3×3 convolution, which is none of the paper's"
    ):
        foreign.recognise(four_stages)
    with pytest.raises(WeightsError, match=r"it has no conv1 and fc, but cls_token, …"):
        foreign.recognise({"cls_token": torch.zeros(1)})
    with pytest.raises(WeightsError, match="out of range here: width"):
        foreign.recognise(build(ModelConfig.named("resnet8")).state_dict() | {"conv1.weight": torch.zeros(2, 3, 3, 3)})


def test_two_networks_in_one_file_are_refused() -> None:
    with pytest.raises(WeightsError, match=r"several entries that would be 'fc.weight'"):
        foreign.rename({"fc.weight": torch.zeros(1), "linear.weight": torch.zeros(1)})


def read_back(network: nn.Module, folder: Path) -> tuple[ModelConfig, State]:
    """What we make of a network that its project saved from DataParallel, with its accuracy."""
    torch.save({"state_dict": nn.DataParallel(network).state_dict(), "best_prec1": 91.7}, folder / "m.th")
    state = foreign.read(folder / "m.th")
    return foreign.recognise(state), state


def assert_same_network(reading: foreign.Reading, original: nn.Module) -> None:
    """Equal logits to the rounding of float64, with running statistics, with the batch's, and with what these left behind."""
    ours, theirs = foreign.network(reading.config, reading.state, "it").double(), original.double()
    x = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        for training in (False, True, False):
            expected = theirs.train(training)(x)
            torch.testing.assert_close(ours.train(training)(x), expected, rtol=1e-9, atol=1e-9 * float(expected.abs().max()))


@pytest.mark.parametrize("depth", [20, 32, 56])
def test_zeros_around_the_old_channels_are_converted_exactly(depth: int, tmp_path: Path) -> None:
    original = OtherNetwork(LAYOUTS["akamaster"], depth)
    config, state = read_back(original, tmp_path)
    assert config == ModelConfig.named(f"resnet{depth}")
    last, around, plain = foreign.readings(config, state)
    assert (last.zeros, around.zeros, plain.zeros) == ("last", "around", None)
    assert (around.config, plain.config) == (config, ModelConfig.named(f"plain{depth}"))
    assert_same_network(around, original)
    with pytest.raises(AssertionError, match="not close"):
        assert_same_network(last, original)


@pytest.mark.parametrize("width", [4, 6, 10])
def test_zeros_around_are_converted_at_other_widths(width: int, tmp_path: Path) -> None:
    original = OtherNetwork(LAYOUTS["akamaster"], 14, classes=3, width=width)
    _, around, _ = foreign.readings(*read_back(original, tmp_path))
    assert_same_network(around, original)


def test_trained_weights_compute_the_same_with_zeros_around() -> None:
    """The shipped network in akamaster's layout answers as it does in ours, so that its accuracy there is known."""
    ours = folder.load(Path(__file__).parents[2] / "weights" / "resnet20-cifar10").model
    reading = foreign.Reading("residual", ours.config, ours.state_dict(), "last")
    assert_same_network(reading, akamaster_of(ours.state_dict()))


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "akamaster"])
def test_the_networks_of_other_projects_answer_as_they_did_there(layout: str, tmp_path: Path) -> None:
    original = OtherNetwork(LAYOUTS[layout], 14)
    config, state = read_back(original, tmp_path)
    assert config == ModelConfig.named("resnet14", shortcut="B" if "option B" in layout or layout == "chenyaofo" else "A")
    reading, *others = foreign.readings(config, state)
    assert [other.zeros for other in others] == (["around", None] if config.shortcut == "A" else [])
    assert_same_network(reading, original)


def test_half_of_an_odd_number_of_channels_cannot_come_first() -> None:
    config = ModelConfig.named("resnet8", width=5)
    assert [reading.zeros for reading in foreign.readings(config, build(config).state_dict())] == ["last", None]


def test_a_plain_network_is_read_in_one_way() -> None:
    config = ModelConfig.named("plain8")
    (reading,) = foreign.readings(config, build(config).state_dict())
    assert (reading.config, reading.zeros) == (config, None)


def test_an_average_of_weights_is_read(tmp_path: Path) -> None:
    """torch's AveragedModel counts in an entry of its own; another counter registers entries in every layer."""
    original = OtherNetwork(LAYOUTS["chenyaofo"], 8)
    state = torch.optim.swa_utils.AveragedModel(original).state_dict()
    torch.save(state | {"module.total_ops": torch.zeros(1), "module.layer1.total_params": torch.zeros(1)}, tmp_path / "m.pt")
    state = foreign.read(tmp_path / "m.pt")
    (reading,) = foreign.readings(foreign.recognise(state), state)
    assert_same_network(reading, original)


@pytest.mark.parametrize("numpy_1", [False, True])
def test_numbers_of_numpy_and_options_beside_the_weights_are_read(numpy_1: bool, tmp_path: Path) -> None:
    state = OtherNetwork(LAYOUTS["chenyaofo"], 8).state_dict()
    more = {"best_prec1": numpy.float64(91.7), "epoch": numpy.int64(3), "best": numpy.bool_(True)}
    torch.save(
        {"model": state, **more, "args": argparse.Namespace(lr=0.1, seed=None)},
        tmp_path / "m.pt",
        _use_new_zipfile_serialization=False,  # older files have this form, and their names can be replaced
    )
    content = (tmp_path / "m.pt").read_bytes()
    names = (b"numpy._core.multiarray", b"numpy.core.multiarray")
    (tmp_path / "m.pt").write_bytes(content.replace(*(names if numpy_1 else names[::-1])))
    assert foreign.read(tmp_path / "m.pt").keys() == state.keys()
    with pytest.raises(Exception, match="Weights only load failed"):  # what is allowed here is not allowed elsewhere
        torch.load(tmp_path / "m.pt", weights_only=True)


@pytest.mark.parametrize(
    ("tensor", "kind"),
    [
        (torch.zeros(10, 64).to_sparse(), "sparse_coo"),
        (torch.zeros(10, 64).to(torch.float8_e4m3fn), "float8_e4m3fn"),
        (torch.zeros(10, 64, device="meta"), "strided"),
    ],
)
@pytest.mark.filterwarnings("ignore:Validating sparse tensor invariants")  # torch says so when it reads one
def test_a_tensor_of_another_kind_is_refused_by_name(tmp_path: Path, tensor: Tensor, kind: str) -> None:
    torch.save({**build(ModelConfig.named("resnet8")).state_dict(), "fc.weight": tensor}, tmp_path / "odd.pt")
    with pytest.raises(
        WeightsError, match=rf"a tensor of a kind that is not read here, fc\.weight \({kind}\): save it as a dense"
    ):
        foreign.read(tmp_path / "odd.pt")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_pipe_as_checkpoint_is_refused_and_not_waited_for(tmp_path: Path, suffix: str) -> None:
    os.mkfifo(tmp_path / f"pipe{suffix}")
    with pytest.raises(WeightsError, match=r"cannot be read as a checkpoint: it is not a regular file\.$"):
        foreign.read(tmp_path / f"pipe{suffix}")
