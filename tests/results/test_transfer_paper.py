"""A transfer to CIFAR-10 states the paper's figures with their conditions."""

from __future__ import annotations

from pathlib import Path

from resnet_demo.results import summary
from resnet_demo.results.transfer_paper import beside_paper, of_paper, values
from resnet_demo.training.events import TransferMeasured
from resnet_demo.transfer.result import card
from resnet_demo.transfer.settings import TRANSFER_PRESETS, TransferSettings, transfer_run

RESULT = TransferMeasured(
    step=9, arm="transfer", classes=tuple("abcdefghij"), train_accuracy=1, validation_accuracy=0.9, test_images=500,
    test_accuracy=0.823, interval=(0.79, 0.85), precision=0.8, recall=0.8, f1=0.8, confusion=((500,),), baselines=(), seconds=1,
)  # fmt: skip


def test_a_network_that_the_paper_has_not_for_cifar_10_stands_beside_its_best_one() -> None:
    config = transfer_run(TRANSFER_PRESETS["The exercise without a GPU"].settings)
    text = beside_paper(config, RESULT)
    assert text.startswith(
        "The paper has no such ResNet-50 for CIFAR-10; its best network there, ResNet-110, has 6.43 % (best of 5 runs)"
    )
    assert (
        "and 6.61 % (mean of 5 runs, ± 0.16) of the 10,000 test images wrong, from scratch, at 32 × 32 and after 64,000" in text
    )
    assert (
        "(arXiv 1512.03385, Table 6); here 17.7 % of 500 are wrong, by a network whose base was trained on ImageNet-1k" in text
    )
    assert (
        "learned from 900 pictures at 128 × 128: other conditions, so these two numbers do not say which way is better." in text
    )
    assert [value["value"] for value in values(config)] == [6.43, 6.61]
    assert summary.sentence(config, [RESULT]).endswith(text)
    assert text in card(config.arms[0], [RESULT], config=config, data="CIFAR-10", remark=beside_paper)


def test_a_network_of_table_6_stands_beside_itself_whatever_its_head() -> None:
    config = transfer_run(TransferSettings(train_limit=1000, hidden="64", dropout=0.2))
    text = beside_paper(config, RESULT)
    assert text.startswith("The paper's ResNet-20 has 8.75 % of the 10,000 test images wrong")
    assert "whose base was trained on CIFAR-10 before and which then learned from 900 pictures at 32 × 32" in text


def test_other_pictures_have_no_figure_in_the_paper(picture_folder: Path) -> None:
    config = transfer_run(TransferSettings(data=str(picture_folder)))
    assert (of_paper(config), beside_paper(config, RESULT)) == ((), "")
    assert card(config.arms[0], [RESULT], config=config, data="x", remark=beside_paper) == card(
        config.arms[0], [RESULT], config=config, data="x"
    )
