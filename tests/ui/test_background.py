"""Slow work in a thread: its sentences, its result, its errors, and how it is cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from resnet_demo.ui.background import Background, LatestWork, WorkEnded


@pytest.fixture
def background() -> Iterator[Background]:
    with ThreadPoolExecutor(1) as threads:
        yield Background(threads)


def test_the_latest_sentence_comes_before_the_result(background: Background) -> None:
    half, finish = threading.Event(), threading.Event()

    def work(say: Callable[[str], None], should_cancel: Callable[[], bool]) -> int:
        assert half.wait(60)
        say("A quarter.")
        say("Half.")
        assert finish.wait(60)
        return 42

    steps = background.run(work, "Starting.")
    assert next(steps) == "Starting."
    half.set()
    while (sentence := next(steps)) == "Starting.":
        pass
    assert sentence == "Half."
    finish.set()
    assert [step for step in steps if step != "Half."] == [42]


@pytest.mark.parametrize("error", [ValueError("what went wrong"), TimeoutError("the Hub is slow")])
def test_an_error_of_the_work_reaches_whoever_waits(background: Background, error: Exception) -> None:
    def work(say: Callable[[str], None], should_cancel: Callable[[], bool]) -> int:
        raise error

    with pytest.raises(type(error), match=str(error)):
        list(background.run(work, "Starting."))


def test_closing_the_iterator_cancels_what_runs_and_what_has_not_started(background: Background) -> None:
    began, cancelled, started = threading.Event(), threading.Event(), threading.Event()

    def work(say: Callable[[str], None], should_cancel: Callable[[], bool]) -> None:
        began.set()
        while not should_cancel():
            threading.Event().wait(0.001)
        cancelled.set()

    def never(say: Callable[[str], None], should_cancel: Callable[[], bool]) -> None:
        started.set()

    first, second = background.run(work, "First."), background.run(never, "Second.")
    assert (next(first), next(second)) == ("First.", "Second.")  # there is one thread: the second waits
    assert began.wait(60)
    second.close()  # type: ignore[attr-defined]
    assert not cancelled.is_set()
    first.close()  # type: ignore[attr-defined]
    assert cancelled.wait(60)
    background.threads.shutdown()
    assert not started.is_set()


@pytest.mark.parametrize(("again", "words"), [(True, "you started another one"), (False, "Cancelled")])
def test_work_that_the_visitor_ends_says_how_it_ended_in_its_last_step(again: bool, words: str) -> None:
    latest, closed = LatestWork(), threading.Event()

    def steps() -> Generator[str, None, None]:
        try:
            yield "Half."
            yield "All."
        finally:
            closed.set()

    followed = latest.follow("a", steps())
    assert next(followed) == "Half."
    if again:
        other = latest.follow("a", steps())
        assert next(other) == "Half."
    else:
        latest.end("a")
    assert next(latest.follow("b", steps())) == "Half."  # another visitor's work ends nothing
    with pytest.raises(WorkEnded, match=words):
        next(followed)
    assert closed.is_set()
