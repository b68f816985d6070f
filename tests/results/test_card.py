"""A model card says what the settings and the record say, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from resnet_demo.config import ArmConfig, DataConfig, ModelConfig, OptimizerConfig, RunConfig
from resnet_demo.evaluation.metrics import Scores
from resnet_demo.parsing import parse
from resnet_demo.recipes import RECIPES, DataSettings, OptimizerSettings
from resnet_demo.results.card import card, command
from resnet_demo.training.events import Event, RunFinished, RunStarted, RunStopped
from resnet_demo.zoo.catalogue import SHIPPED
from resnet_demo.zoo.folder import WEIGHTS

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


def test_the_card_gives_the_share_of_the_papers_training() -> None:
    stopped = text_of(ModelConfig(), DataConfig(), RunStopped(step=30, seconds=60))
    assert "- 0.05\N{NO-BREAK SPACE}% of the paper's 64,000 iterations of 128 images\n" in stopped  # 30 / 64,000
    assert "- 0.16\N{NO-BREAK SPACE}% of the paper's 64,000 iterations" in text_of(ModelConfig(), DataConfig(), FINISHED)


def differences(depth: int, steps: int, data: DataSettings, optimizer: OptimizerSettings, batch: int) -> str:
    arm = ArmConfig(name="net", model=ModelConfig(depth=depth))
    config = RunConfig(
        arms=(arm,), data=parse(DataConfig, data), optimizer=parse(OptimizerConfig, optimizer), batch=batch, steps=steps
    )
    return differences_line(card("mine", arm, config, [started(), RunFinished(step=steps, seconds=60)], "pets", SCORES))


def differences_line(text: str) -> str:
    prefix = "- What differs from section 4.2: "
    return next(line.removeprefix(prefix) for line in text.splitlines() if line.startswith(prefix))


def test_the_papers_recipe_differs_in_nothing_from_section_4_2() -> None:
    paper = RECIPES["paper"]
    assert differences(20, 64_000, paper.data, paper.optimizer, 128) == "nothing"


def test_a_network_of_110_layers_differs_where_it_starts_at_the_full_learning_rate() -> None:
    paper = RECIPES["paper"]
    full = "no steps at a tenth of the learning rate first, not 400"
    assert differences(110, 64_000, paper.data, paper.optimizer, 128) == full


def test_the_card_names_each_setting_that_differs_from_section_4_2() -> None:
    fast = RECIPES["fast"]
    sgd: OptimizerSettings = {**fast.optimizer, "name": "sgd", "nesterov": True}
    assert differences(20, 9_360, fast.data, sgd, 128).replace("\N{NO-BREAK SPACE}", " ") == (
        "9,360 iterations, not 64,000; no held-out images, not 5,000; half the side in 35 % of the steps; "
        "three quarters of the side in 25 % of the steps; crops of pictures padded by reflection, not with zeros; "
        "mirror images in alternating epochs, not at random; learning rate 0.2, not 0.1; "
        "learning rate schedule triangle, not divided by 10 at one half and three quarters; Nesterov's momentum; "
        "weight decay 0.0005, not 0.0001; weight decay on the weights of convolutions and the classifier only; "
        "label smoothing 0.05"
    )
    data: DataSettings = {"source": "pets", "augment": False, "held_out": 1_500}
    optimizer: OptimizerSettings = {"name": "adam", "learning_rate": 0.001, "momentum": 0.8, "schedule": "cosine"}
    assert differences(20, 240, data, optimizer, 64) == (
        "240 iterations, not 64,000; batches of 64 images, not 128; the images of pets; 1,500 held-out images, not 5,000; "
        "no random crops and mirror images; Adam, not SGD; learning rate 0.001, not 0.1; "
        "learning rate schedule cosine, not divided by 10 at one half and three quarters; momentum 0.8, not 0.9"
    )
    assert "; Muon, not SGD; convolutions at 0.5 of the learning rate; " in differences(
        20, 240, data, {"name": "muon", "filter_rate": 0.5, "momentum": 0.8}, 64
    )
    assert differences(20, 240, data, fast.optimizer, 64).endswith(
        "; Nesterov's momentum; weight decay 0.0005, not 0.0001; no weight decay on convolutions; "
        "weight decay on the weights of the classifier only; label smoothing 0.05"
    )
    limited = text_of(ModelConfig(), DataConfig(train_limit=2_000, image_size=16), FINISHED)
    assert differences_line(limited).startswith(
        "100 iterations, not 64,000; only the bundled part of CIFAR-10; at most 2,000 training images; "
        "no held-out images, not 5,000; images of 16×16 pixels, not 32×32; "
    )


@pytest.mark.parametrize("folder", sorted(path.parent for path in SHIPPED.glob("*/record.jsonl")), ids=lambda path: path.name)
def test_the_cards_that_ship_claim_no_more(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert "nothing chosen" not in text
    is_half = load_file(folder / WEIGHTS)["fc.weight"].dtype == torch.float16
    rounded = ", rounded to float16 before they were measured" if is_half else ""
    assert (
        f"The weights are those of the last step of one run{rounded}. The test images were measured, not learned from." in text
    )
    assert "section 4.2" in text
