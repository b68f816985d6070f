"""Answers about the examples are computed once, for the same weights and question; the cache has a limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from resnet_demo import files
from resnet_demo.config import ModelConfig
from resnet_demo.data.dataset import CIFAR10_CLASSES
from resnet_demo.data.image import read
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.inference.answer_cache import AnswerCache
from resnet_demo.inference.examples import EXAMPLE_PICTURES, FINGERPRINT
from resnet_demo.inference.report import draft, report
from resnet_demo.inference.request import ClassifyRequest
from resnet_demo.inference.services import Models
from resnet_demo.model.resnet import build
from resnet_demo.zoo import folder

NAME = "cached-resnet8"


class Counting(AnswerCache):
    """A cache that counts the answers that it is given."""

    computed = 0

    def put(self, key: Any, answer: dict[str, Any]) -> None:
        self.computed += 1
        super().put(key, answer)


def write(seed: int) -> None:
    config = ModelConfig.named("resnet8", width=4)
    content = folder.ModelFolder(architecture=config, classes=CIFAR10_CLASSES, preprocessing=Preprocessing())
    folder.write(files.home() / "models" / NAME, content, build(config, seed=seed).state_dict(), "")


@pytest.fixture(autouse=True)
def network(isolated_home: Path) -> None:
    write(seed=1)


def example(number: int = 0) -> Image.Image:
    picture = read(EXAMPLE_PICTURES[number].path)
    picture.info[FINGERPRINT] = EXAMPLE_PICTURES[number].fingerprint
    return picture


def test_the_same_question_about_an_example_is_computed_once_and_others_are_computed() -> None:
    cache = Counting()
    models = Models(answers=cache)
    first = report(example(), ClassifyRequest(model=NAME), models)
    assert report(example(), ClassifyRequest(model=NAME), models) == first
    assert cache.computed == 1
    assert report(example(), ClassifyRequest(model=NAME, target=3), models)["answers"][0]["target"] == 3
    assert report(example(1), ClassifyRequest(model=NAME), models)["answers"] != first["answers"]
    assert cache.computed == 3


def test_an_answer_is_in_the_cache_when_it_has_all_maps_and_comes_whole_from_then_on() -> None:
    cache = Counting()
    models = Models(answers=cache)
    first = draft(example(), ClassifyRequest(model=NAME), models)
    assert first.finish is not None and cache.computed == 0
    whole = first.finish(say=lambda _: None, should_cancel=lambda: False)
    again = draft(example(), ClassifyRequest(model=NAME), models)
    assert (again.report, again.finish, cache.computed) == (whole, None, 1)


def test_the_same_name_with_other_weights_is_another_network() -> None:
    cache = Counting()
    models = Models(answers=cache)
    before = report(example(), ClassifyRequest(model=NAME), models)
    models.cache.budget = 0
    models.cache.get("plain20-cifar10")  # there is room for one network only
    assert not models.cache.is_loaded(NAME)
    write(seed=2)
    after = report(example(), ClassifyRequest(model=NAME), models)
    assert cache.computed == 2
    assert after["answers"][0]["predictions"] != before["answers"][0]["predictions"]


def test_a_picture_of_one_s_own_is_not_kept() -> None:
    cache = Counting()
    models = Models(answers=cache)
    picture = Image.effect_noise((40, 40), 90).convert("RGB")
    report(picture, ClassifyRequest(model=NAME), models)
    picture.info[FINGERPRINT] = "0" * 32
    report(picture, ClassifyRequest(model=NAME), models)
    assert (cache.computed, cache.size) == (0, 0)


def test_the_least_recently_used_answers_leave_and_what_is_larger_than_all_is_not_kept() -> None:
    cache = AnswerCache(max_bytes=100)
    for key in "abc":
        cache.put(key, {"text": "x" * 20})  # 32 bytes
    assert cache.get("a") == {"text": "x" * 20} and cache.size == 96
    cache.put("d", {"text": "y" * 20})
    assert (cache.get("b"), cache.size) == (None, 96)
    assert all(cache.get(key) is not None for key in "acd")
    cache.put("e", {"text": "z" * 200})
    cache.put("a", {"text": "short"})
    assert (cache.get("e"), cache.size) == (None, 2 * 32 + 17)


def test_who_is_given_an_answer_cannot_change_another_s() -> None:
    cache = AnswerCache()
    cache.put("a", {"answers": [1]})
    given = cache.get("a")
    assert given is not None
    given["answers"].append(2)
    assert cache.get("a") == {"answers": [1]}
