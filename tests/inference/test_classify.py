from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from resnet_demo.inference.classify import Answer, classify
from tests.inference.networks import noise, weights


def answer_with(*probabilities: float) -> Answer:
    return Answer(weights(), noise(32, 32), torch.tensor(probabilities), {}, torch.empty(0))


def test_the_answer_is_the_softmax_of_the_networks_own_forward_pass() -> None:
    lent, picture = weights(), noise(50, 40)
    answer = classify(lent, picture)
    with torch.no_grad():
        wanted = lent.model(lent.preprocessing(picture)).softmax(1)[0]
    assert torch.equal(answer.probabilities, wanted)
    assert answer.probabilities.dtype == torch.float32
    assert answer.square.tobytes() == lent.preprocessing.crop(picture).tobytes()
    assert answer.square.size == (32, 32)


def test_the_output_of_every_stage_is_kept_in_the_graph_of_the_logits_from_the_first_one_on() -> None:
    lent, picture = weights(), noise(32, 32)
    answer = classify(lent, picture)
    assert {name: tuple(output.shape) for name, output in answer.activations.items()} == {
        "layer1": (1, 16, 32, 32), "layer2": (1, 32, 16, 16), "layer3": (1, 64, 8, 8),
    }  # fmt: skip
    with torch.no_grad():
        assert torch.equal(answer.activations["layer3"], lent.model.features(lent.preprocessing(picture)))
    first, *later = answer.activations.values()
    assert first.is_leaf and not any(output.is_leaf for output in later)
    assert not answer.probabilities.requires_grad
    gradients = torch.autograd.grad(answer.logits[0], [first, *later], retain_graph=True)
    assert [gradient.shape for gradient in gradients] == [output.shape for output in (first, *later)]


def test_the_likeliest_classes_come_first_and_never_more_than_there_are() -> None:
    answer = answer_with(0.1, 0.6, 0.05, 0.25)
    assert [(item.label, item.index) for item in answer.top(3)] == [("class 1", 1), ("class 3", 3), ("class 0", 0)]
    assert answer.top(1)[0].probability == pytest.approx(0.6)
    assert len(answer.top(99)) == 4


def test_the_entropy_is_a_share_of_the_largest_there_could_be() -> None:
    assert answer_with(0.25, 0.25, 0.25, 0.25).entropy == pytest.approx(1)
    assert answer_with(1.0, 0.0, 0.0, 0.0).entropy == 0
    by_hand = -(0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25)) / math.log(4)
    assert answer_with(0.5, 0.25, 0.25, 0.0).entropy == pytest.approx(by_hand)


def test_sixteen_threads_get_the_same_answer_from_one_model() -> None:
    lent, picture = weights(), noise(32, 32)
    alone = classify(lent, picture).probabilities
    with ThreadPoolExecutor(16) as threads:
        for answer in threads.map(lambda _: classify(lent, picture), range(32)):
            torch.testing.assert_close(answer.probabilities, alone)
