"""A model card says what the settings and the record say, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.config import ArmConfig, DataConfig, ModelConfig, RunConfig
from resnet_demo.evaluation.metrics import Scores
from resnet_demo.results.card import card, command
from resnet_demo.training.events import Event, RunFinished, RunStarted, RunStopped
from resnet_demo.zoo.catalogue import SHIPPED

SCORES = Scores(images=500, accuracy=0.9, precision=0.8, recall=0.7, f1=0.75, confusion=())


def text_of(model: ModelConfig, data: DataConfig, end: Event, *more: RunStarted) -> str:
    arm = ArmConfig(name="net", model=model)
    config = RunConfig(arms=(arm,), data=data, steps=100)
    return card("mine", arm, config, [started(), *more, end], "pets", SCORES)


def started(**changes: object) -> RunStarted:
    first = {
        "time": "2026-01-01", "steps": 100, "steps_per_epoch": 40, "device": "cpu", "precision": "fp32", "threads": 2,
        "torch": "2.14", "commit": "abc", "parameters": {"net": 1234},
    }  # fmt: skip
    return RunStarted.model_validate(first | changes)


FINISHED = RunFinished(step=100, seconds=120)


def test_a_licence_is_named_only_where_the_maker_gave_one() -> None:
    assert "license" not in text_of(ModelConfig(), DataConfig(), FINISHED)
    config = RunConfig(arms=(ArmConfig(name="net", model=ModelConfig()),), steps=100)
    text = card("mine", config.arms[0], config, [started(), FINISHED], "pets", SCORES, "mit")
    assert text.startswith("---\nlicense: mit\nlibrary_name: resnet-lab\n")


@pytest.mark.parametrize(("depth", "named"), [(50, True), (20, False)])
def test_the_command_names_the_design_where_a_depth_is_one_of_both(depth: int, named: bool) -> None:
    arm = ArmConfig(name="net", model=ModelConfig(depth=depth, residual=False))
    words = command(arm, RunConfig(arms=(arm,), data=DataConfig(source="my pets"), steps=100)).split(" --")
    assert "compile" not in words
    assert f"arch resnet{depth}" in words and "plain" in words and "data 'my pets'" in words
    assert ("design cifar" in words) == named
    changes = {"design": "cifar"} if named else {}
    assert ModelConfig.named(f"plain{depth}", **changes) == arm.model


def test_the_command_compiles_where_the_run_did() -> None:
    arm = ArmConfig(name="net", model=ModelConfig())
    assert "compile" in command(arm, RunConfig(arms=(arm,), steps=100, compile=True)).split(" --")


def test_data_of_ones_own_is_not_called_cifar10() -> None:
    text = text_of(ModelConfig(), DataConfig(source="pets"), FINISHED)
    assert "cifar" not in text.lower()
    assert "drawn from all training images of pets." in text
    assert "datasets: [uoft-cs/cifar10]\nmetrics" in text_of(ModelConfig(), DataConfig(source="cifar10"), FINISHED)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (DataConfig(held_out=1500), "drawn from all but the last 1,500 training images of pets."),
        (DataConfig(train_limit=2000), "drawn from at most the first 2,000 training images of pets."),
        (
            DataConfig(held_out=1500, train_limit=2000),
            "drawn from at most the first 2,000 training images, without the last 1,500, of pets.",
        ),
    ],
)
def test_the_pictures_that_were_learned_from_are_those_of_the_settings(data: DataConfig, told: str) -> None:
    assert told in text_of(ModelConfig(), data, FINISHED)


@pytest.mark.parametrize(
    ("model", "where"),
    [
        (ModelConfig.named("resnet20"), "section 4.2"),
        (ModelConfig.named("plain56", classes=3), "section 4.2"),
        (ModelConfig.named("resnet34"), "Table 1"),
        (ModelConfig.named("resnet50", stride_in="1x1"), "Table 1"),
        (ModelConfig.named("resnet50"), None),  # strides in the 3x3, which the paper does not
        (ModelConfig(design="imagenet", depth=50, residual=False, shortcut="B", width=64, stride_in="1x1"), None),
        (ModelConfig.named("resnet8"), None),
        (ModelConfig.named("resnet20", width=8), None),
        (ModelConfig.named("resnet20", batch_norm=False), None),
        (ModelConfig(depth=50), None),
    ],
)
def test_only_a_network_of_the_paper_is_called_one(model: ModelConfig, where: str | None) -> None:
    text = text_of(model, DataConfig(), FINISHED)
    assert (f"{where} of He, Zhang, Ren, Sun" in text) if where else ("He, Zhang" not in text)


def test_a_run_that_was_resumed_tells_all_its_machines_and_its_whole_time() -> None:
    text = text_of(ModelConfig(), DataConfig(), FINISHED, started(step=60, device="cuda", threads=1, commit="def"))
    assert "cpu, 2 threads, fp32, PyTorch 2.14; then cuda, 1 thread, fp32, PyTorch 2.14; 2 minutes\n" in text
    assert "code of commit abc, then def\n" in text


def test_a_stopped_run_does_not_claim_the_steps_it_was_asked_for() -> None:
    text = text_of(ModelConfig(), DataConfig(), RunStopped(step=30, seconds=60))
    assert "- 30 steps of the 100 that were asked for, batch size 128, 0.75 epochs, seed 0\n" in text


@pytest.mark.parametrize("folder", sorted(path.parent for path in SHIPPED.glob("*/record.jsonl")), ids=lambda path: path.name)
def test_the_cards_that_ship_claim_no_more(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert "nothing chosen" not in text
    assert "The weights are those of the last step of one run. The test images were measured, not learned from." in text
    assert "section 4.2" in text
