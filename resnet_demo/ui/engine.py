"""The slow part of the app, torch and the models, which loads after the port is open.

Loading, downloads and attributions of many passes run in threads, while the iterator that a page waits on yields
progress sentences. Closing the iterator cancels the work.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any

from PIL import Image

from resnet_demo.evaluation.evaluator import Say, evaluator
from resnet_demo.evaluation.measurement import Measurement
from resnet_demo.evaluation.request import EvaluateRequest
from resnet_demo.inference.request import ClassifyRequest
from resnet_demo.inside.context import Context
from resnet_demo.inside.laboratory import Laboratory
from resnet_demo.inside.outcome import Outcome
from resnet_demo.inside.request import InsideRequest
from resnet_demo.results import plots
from resnet_demo.ui.background import Background

if TYPE_CHECKING:
    from resnet_demo.inference.report import Draft
    from resnet_demo.inference.services import Models
    from resnet_demo.zoo.folder import Weights

plots.draw_without_a_display()

THREADS = 8
LOADING = "Loading PyTorch and the network; the first answer takes a few seconds."
ASKING = "Looking at the picture."
WAITING = "Waiting for another visitor's evaluation to end."
WAITING_FOR_EXPERIMENT = "Waiting for another visitor's experiment to end."


class Engine:
    """Answers the requests of all pages with one set of models, which it loads once, in a thread."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "answers")
        self._evaluations = ThreadPoolExecutor(1, "evaluations")  # one at a time: it takes all processors
        self._experiments = ThreadPoolExecutor(1, "experiments")
        self._slow_experiments = ThreadPoolExecutor(1, "slow experiments")  # no other one waits for these
        self._evaluator = evaluator()
        self._laboratory = Laboratory()
        self._lock = Lock()
        self._models: Future[Models] | None = None

    def start(self) -> Future[Models]:
        """Start loading, unless that has started; the future gives the models."""
        with self._lock:
            if self._models is None:
                self._models = self._threads.submit(_load_models)
            return self._models

    def answer(self, picture: Image.Image, request: ClassifyRequest) -> Iterator[str | dict[str, Any]]:
        """Yields progress sentences, then the answer with the last stage's map, then the answer with the maps of all stages.

        The other maps are computed once the caller, which has shown the answer, asks for the next value. An answer that
        is whole at once is yielded once (`inference.report.draft`).

        Raises:
            ResNetDemoError: like `draft`.
        """
        models = self.start()

        def begin(say: Callable[[str], None], should_cancel: Callable[[], bool]) -> Draft:
            loaded = models.result()
            from resnet_demo.inference.report import draft

            return draft(picture, request, loaded, say=say, should_cancel=should_cancel)

        background = Background(self._threads)
        for step in background.run(begin, ASKING if models.done() else LOADING):
            if isinstance(step, str):
                yield step
                continue
            yield step.report
            if step.finish is not None:  # takes moments: the answer is there, and no sentence takes its place
                yield from (whole for whole in background.run(step.finish, ASKING) if not isinstance(whole, str))

    def measured(self, request: EvaluateRequest) -> list[Measurement] | None:
        """The measurements of an evaluation, if nothing has to be computed for them.

        Raises:
            ResNetDemoError: there is no such model or data.
        """
        cached = [self._evaluator.find(model, request.data) for model in request.models]
        return [one for one in cached if one is not None] if all(cached) else None

    def measure(self, request: EvaluateRequest) -> Generator[str | list[Measurement], None, None]:
        """Yields progress sentences, then the measurements of the request's models, in their order.

        Raises:
            ResNetDemoError: a model or the data is missing or damaged, or they do not fit.
        """
        models = self.start()

        def work(say: Callable[[str], None], should_cancel: Callable[[], bool]) -> list[Measurement]:
            say(LOADING)
            loaded = models.result()
            from resnet_demo.inference.report import load_network

            def load(name: str, say: Say, should_cancel: Callable[[], bool]) -> Weights:
                return load_network(loaded, name, say, should_cancel)

            return [
                self._evaluator.measure(name, request.data, load, say=say, should_cancel=should_cancel)
                for name in request.models
            ]

        yield from Background(self._evaluations).run(work, WAITING)

    def outcome(self, request: InsideRequest) -> Outcome | None:
        """The outcome of an experiment, if nothing has to be computed for it."""
        return self._laboratory.find(request)

    def experiment(self, request: InsideRequest) -> Generator[str | Outcome, None, None]:
        """Yields progress sentences, then the outcome of an experiment.

        Raises:
            ResNetDemoError: a model is missing or damaged, or a setting is out of its range.
        """
        models = self.start()

        def work(say: Callable[[str], None], should_cancel: Callable[[], bool]) -> Outcome:
            say(LOADING)
            loaded = models.result()
            from resnet_demo.inference.report import load_network

            return self._laboratory.run(
                request, Context(lambda name: load_network(loaded, name, say, should_cancel), say, should_cancel)
            )

        threads = self._slow_experiments if request.is_slow else self._experiments
        yield from Background(threads).run(work, WAITING_FOR_EXPERIMENT)

    def cancel_downloads(self, names: list[str]) -> None:
        """End the downloads of these models, if there are any."""
        if self._models is not None and self._models.done():
            for name in names:
                self._models.result().downloads.cancel(name)


def _load_models() -> Models:
    """Import torch and all that an answer needs, which takes seconds."""
    from resnet_demo.inference.services import Models

    return Models()
