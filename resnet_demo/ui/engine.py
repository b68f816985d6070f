"""The heavy half of the app, torch and the models, which loads behind the open port.

Everything slow (loading PyTorch, a download, an attribution of many passes) runs in a thread here, while the
generator that a page waits on says how far it is. Closing the generator cancels the work.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from types import ModuleType
from typing import Any

from PIL import Image

from resnet_demo.inference.answer_cache import AnswerCache
from resnet_demo.inference.request import ClassifyRequest
from resnet_demo.results import plots
from resnet_demo.ui.background import Background

plots.draw_without_a_display()

LOADING = "Loading PyTorch and the network; the first answer takes a few seconds."
ASKING = "Looking at the picture."
_threads = ThreadPoolExecutor(8, "answers")


@lru_cache(maxsize=1)
def begin() -> Future[ModuleType]:
    """Start loading; the future gives the module `inference.report`."""
    return _threads.submit(importlib.import_module, "resnet_demo.inference.report")


def cancel_downloads(names: list[str]) -> None:
    """End the downloads of these models, if there are any."""
    if begin().done():
        for name in names:
            begin().result().downloads().cancel(name)


def answering(cache: AnswerCache) -> Callable[[Image.Image, ClassifyRequest], Iterator[str | dict[str, Any]]]:
    """`ask`, with this cache."""
    return lambda picture, question: ask(picture, question, cache)


def ask(picture: Image.Image, question: ClassifyRequest, cache: AnswerCache | None = None) -> Iterator[str | dict[str, Any]]:
    """Yields sentences while the answer is on its way, then the answer (`inference.report.report`).

    Raises:
        ResNetDemoError: what `report` raises.
    """

    def work(say: Callable[[str], None], should_cancel: Callable[[], bool]) -> dict[str, Any]:
        report = begin().result().report
        answer: dict[str, Any] = report(picture, question, cache=cache, say=say, should_cancel=should_cancel)
        return answer

    yield from Background(_threads).run(work, ASKING if begin().done() else LOADING)
