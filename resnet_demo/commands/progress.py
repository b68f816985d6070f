"""A progress bar on standard error, for functions that report (done, total)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(what: str, *, unit: str = "B") -> Iterator[Callable[[int, int], None]]:
    """A bar that appears at the first report, and only if standard error is a terminal."""
    from tqdm import tqdm

    bar = tqdm(desc=what, unit=unit, unit_scale=unit == "B", file=sys.stderr, disable=None, delay=0.2, dynamic_ncols=True)

    def report(done: int, total: int) -> None:
        if bar.total != total or done < bar.n:
            bar.reset(total)
        bar.update(done - bar.n)

    with bar:
        yield report


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """A line of standard error that always shows the latest sentence, and only if standard error is a terminal."""
    is_terminal = sys.stderr.isatty()

    def say(sentence: str) -> None:
        if is_terminal:
            print(f"\r\033[K{sentence}", end="", file=sys.stderr, flush=True)

    yield say
    say("")
