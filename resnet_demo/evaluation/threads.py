"""Many networks or many pictures on all processors: each thread of the pool computes with one thread of torch.

The threads of one operation would wait for each other; beside other work on the machine that takes longer than the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch


@contextmanager
def one_processor_each() -> Iterator[ThreadPoolExecutor]:
    """A pool of as many threads as torch has; the caller's number is restored at the end."""
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, "one-processor", torch.set_num_threads, (1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)  # new threads inherit the number that a thread sets
