"""What can be set: whatever is outside the limits is refused in one sentence that names the setting."""

from __future__ import annotations

from typing import Any

import pytest

from resnet_demo.config import ARCHITECTURES, IMAGENET_STAGES, ModelConfig, RunConfig
from resnet_demo.errors import SettingError
from resnet_demo.inference.request import ClassifyRequest
from resnet_demo.parsing import parse, parse_link, whole


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"depth": 21}, "depth of a CIFAR network is 6n+2 (8, 14, 20, … 110, 1202), not 21."),
        ({"design": "imagenet", "depth": 20}, "depth of an ImageNet network is one of [18, 34, 50, 101, 152], not 20."),
        ({"depth": 5000}, "depth: should be at least 8 and at most 1202 (given: '5000')."),
        ({"width": 3}, "width: should be at least 4 and at most 128 (given: '3')."),
        ({"classes": 1}, "classes: should be at least 2 and at most 100000 (given: '1')."),
        ({"shortcut": "C"}, "shortcut: should be 'A' or 'B' (given: 'C')."),
        ({"stride_in": "2x2"}, "stride_in: should be '1x1' or '3x3' (given: '2x2')."),
    ],
)
def test_a_setting_out_of_range_is_refused_with_its_name_and_its_range(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError) as refused:
        parse(ModelConfig, values)
    assert str(refused.value).removeprefix("settings: ") == sentence


@pytest.mark.parametrize("changes", [{"arms": 2}, {"diagnose_every": 5}])
def test_only_a_run_of_one_network_that_is_not_read_by_layer_can_be_compiled(changes: dict[str, Any]) -> None:
    values = {"arms": 1, **changes}
    arms = [{"name": f"net{number}", "model": {"depth": 20}} for number in range(values.pop("arms"))]
    parse(RunConfig, {"arms": arms, **values})
    with pytest.raises(SettingError, match="only a run of one network, without readings by layer, can be compiled"):
        parse(RunConfig, {"arms": arms, "compile": True, **values})


def test_muon_needs_batch_normalization() -> None:
    arms = [{"name": name, "model": {"depth": 20, "batch_norm": name == "with"}} for name in ("with", "without")]
    parse(RunConfig, {"arms": arms[:1], "optimizer": {"name": "muon"}})
    with pytest.raises(SettingError, match="Muon sets the length of filters, so that it needs batch normalization after them"):
        parse(RunConfig, {"arms": arms, "optimizer": {"name": "muon"}})


@pytest.mark.parametrize("value", ["20", 20.5, float("nan"), float("inf"), True, None, [20], {"depth": 20}])
def test_a_number_is_not_guessed_from_something_else(value: Any) -> None:
    with pytest.raises(SettingError, match=r"^depth: .* \(given: "):
        parse(ModelConfig, {"depth": value})


def test_an_unknown_setting_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match=r"^colour: "):
        parse(ModelConfig, {"colour": "blue"})


def test_all_refused_settings_are_named_at_once() -> None:
    with pytest.raises(SettingError, match=r"^depth: .* width: .*") as refused:
        parse(ModelConfig, {"depth": 5000, "width": 0})
    assert "\n" not in str(refused.value)


def test_a_config_comes_back_from_json_as_it_was() -> None:
    config = ModelConfig.named("plain34", classes=7)
    assert parse(ModelConfig, config.model_dump_json()) == config


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_is_found_by_its_name(name: str) -> None:
    config = ModelConfig.named(name)
    assert config.name == name
    imagenet = config.depth in IMAGENET_STAGES
    assert (config.design, config.shortcut, config.width, config.classes) == (
        ("imagenet", "B", 64, 1000) if imagenet else ("cifar", "A", 16, 10)
    )
    layers = sum(config.stages) * (3 if config.block == "bottleneck" else 2) + 2  # and the first and the last
    assert layers == config.depth


@pytest.mark.parametrize(("written", "meant"), [("ResNet20", "resnet20"), (" plain-56 ", "plain56"), ("resnet-50", "resnet50")])
def test_a_name_may_be_written_as_people_write_it(written: str, meant: str) -> None:
    assert ModelConfig.named(written).name == meant


@pytest.mark.parametrize("name", ["vgg16", "resnet", "20", "", "resnet20x", "resnet-2-0", "../resnet20"])
def test_a_name_of_no_network_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match="There is no architecture"):
        ModelConfig.named(name)


def test_a_depth_that_no_network_has_is_refused() -> None:
    with pytest.raises(SettingError, match=r"6n\+2 .* not 21"):
        ModelConfig.named("resnet21")


def test_a_link_is_read_as_words_and_what_is_not_ours_is_left_to_others() -> None:
    read = parse_link(
        ClassifyRequest, {"target": "3", "signed": "true", "model": "plain20-cifar10", "run": "20261122-000000-abcdef"}
    )
    assert read == ClassifyRequest(target=3, signed=True, model="plain20-cifar10")


@pytest.mark.parametrize(
    ("query", "named"), [({"target": "3.5"}, "target: "), ({"contrast": "-2"}, "contrast: should be at least -1")]
)
def test_a_link_that_says_what_cannot_be_is_refused_with_the_name(query: dict[str, str], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        parse_link(ClassifyRequest, query)


@pytest.mark.parametrize(("sent", "taken"), [(3.0, 3), (3.5, 3.5), (float("nan"), float("nan")), ("3.0", "3.0"), (True, True)])
def test_a_float_without_a_fraction_is_whole_and_nothing_else_is_touched(sent: object, taken: object) -> None:
    """What is no number of a setting is the parser's to refuse, as it was sent."""
    got = whole(sent)
    assert repr(got) == repr(taken)
