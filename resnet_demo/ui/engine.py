"""The heavy half of the app, torch and the models, which loads behind the open port.

The page is there before it: `begin` starts loading, `report` waits for it where it must.
"""

from __future__ import annotations

import importlib
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from types import ModuleType
from typing import Any


@lru_cache(maxsize=1)
def begin() -> Future[ModuleType]:
    """Start loading; the future gives the module `inference.report`."""
    return ThreadPoolExecutor(1, "loading").submit(importlib.import_module, "resnet_demo.inference.report")


def is_ready() -> bool:
    """Whether an answer comes without waiting for the loading."""
    return begin().done()


def report(*arguments: Any) -> dict[str, Any]:
    """`inference.report.report`, once it is loaded."""
    answer: dict[str, Any] = begin().result().report(*arguments)
    return answer
