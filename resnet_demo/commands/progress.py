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
