"""The Classify tab and a Hub that is slow, wrong or gone: a sentence each, and the network in use stays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from safetensors.torch import save

from resnet_demo.config import ModelConfig
from resnet_demo.model.resnet import build
from tests.loopback_hub import Fault, LoopbackHub
from tests.ui.classify_page import SENTENCE, choose, wait_for_answer
from tests.ui.conftest import App, Watched, free_port, start_app, stop_app

pytestmark = pytest.mark.browser
# What a test has fetched is in the app's cache for the next, so each outcome has a name of its own.
NAME, STRANGE, SLOW = (f"timm/resnet{depth}.tv_in1k" for depth in (18, 34, 101))
USED = "ResNet-20 (CIFAR-10)"
WEIGHTS = save(build(ModelConfig.named("resnet18", classes=10)).state_dict())


@pytest.fixture(scope="module")
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub() as running:
        yield running


@pytest.fixture(scope="module")
def connected(hub: LoopbackHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with a Hub in reach, and nothing in its cache."""
    home = tmp_path_factory.mktemp("connected")
    cache = {"HF_HOME": str(home / "hub"), "HF_HUB_CACHE": str(home / "hub" / "cache")}
    running = start_app(home, free_port(), HF_HUB_OFFLINE="0", HF_ENDPOINT=hub.url, **cache)
    yield running
    stop_app(running)


@pytest.fixture
def page(connected: App, visit: Callable[..., Watched]) -> Watched:
    """The page with the first answer of the network that ships."""
    seen = visit(connected.url)
    wait_for_answer(seen)
    return seen


def publish(hub: LoopbackHub, name: str, config: str = "resnet18", fault: Fault | None = None) -> None:
    hub.faults.clear()
    hub.add(name, "config.json", json.dumps({"architecture": config, "num_classes": 10}).encode())
    hub.add(name, "model.safetensors", WEIGHTS, fault)


def title(name: str) -> str:
    return name.replace("timm/resnet", "ResNet-").replace(".tv_in1k", " (ImageNet, torchvision's weights)")


def ask(page: Watched, name: str) -> None:
    choose(page, "model", title(name))


def says(page: Watched, words: str) -> str:
    page.page.wait_for_function(
        "([s, words]) => document.querySelector(s)?.innerText.includes(words)", arg=[SENTENCE, words], polling=100
    )
    return page.page.locator(SENTENCE).inner_text()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.GATED, "gated"),
        (Fault.PRIVATE, "There is no repository"),
        (Fault.DOWN, "503"),
        (Fault.SHORT, "arrived incomplete and was removed"),
        (Fault.CORRUPTED, "arrived damaged"),
    ],
)
def test_a_download_that_fails_says_what_failed_and_the_network_in_use_stays(
    hub: LoopbackHub, page: Watched, fault: Fault, words: str
) -> None:
    publish(hub, NAME, fault=fault)
    ask(page, NAME)
    said = says(page, words)
    assert NAME in said and said.endswith(f"Still shown: {USED}.")
    page.page.wait_for_function("name => document.querySelector('#model input').value === name", arg=USED)
    assert page.page.locator("#answer h2").inner_text().startswith(USED)
    assert page.page.locator("#answer .cancel").is_hidden()


def test_an_architecture_that_is_not_known_here_is_named(hub: LoopbackHub, page: Watched) -> None:
    publish(hub, STRANGE, config="vit_base_patch16_224")
    ask(page, STRANGE)
    assert "vit_base_patch16_224" in says(page, "Still shown")


def test_a_slow_download_tells_its_size_and_is_cancelled_and_what_arrives_at_last_answers(
    hub: LoopbackHub, page: Watched
) -> None:
    publish(hub, SLOW, fault=Fault.SLOW)
    ask(page, SLOW)
    says(page, f"Downloading {title(SLOW)} from the Hugging Face Hub: 0 of {len(WEIGHTS) / 1e6:.0f} MB.")
    page.page.click("#answer .cancel")
    says(page, f"Cancelled. Still shown: {USED}.")
    assert page.page.locator("#model input").input_value() == USED
    publish(hub, SLOW)
    ask(page, SLOW)
    says(page, f"{title(SLOW)} takes this for")
    assert page.page.locator("#answer h2").inner_text().startswith(title(SLOW))
    page.page.wait_for_function("name => document.querySelector('#model input').value === name", arg=title(SLOW))
    page.page.locator("#model input").click()
    options = page.page.get_by_role("option").all_inner_texts()
    (slow,) = (option for option in options if title(SLOW) in option)
    assert "to download" not in slow  # it is here now
    assert any(
        option.strip().endswith("ResNet-152 (ImageNet, torchvision's weights): 241 MB to download") for option in options
    )
