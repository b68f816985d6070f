"""What an experiment is given: the trained networks, progress sentences, and whether anyone still waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resnet_demo.errors import ResNetDemoError, WeightsError

if TYPE_CHECKING:
    from resnet_demo.zoo.folder import Weights


class ExperimentCancelled(ResNetDemoError):
    """The caller cancelled the experiment."""


@dataclass(frozen=True)
class Context:
    """What an experiment is given.

    Args:
        load: the trained network of a name; it is shared, and never changed.
        say: takes a progress sentence.
        should_cancel: whether the result is no longer wanted.
    """

    load: Callable[[str], Weights]
    say: Callable[[str], object]
    should_cancel: Callable[[], bool]

    def check(self) -> None:
        """Raise ExperimentCancelled if the result is no longer wanted."""
        if self.should_cancel():
            raise ExperimentCancelled("The experiment was cancelled.")

    @classmethod
    def alone(cls) -> Context:
        """For a caller that needs no trained network, shows no progress and never cancels."""
        return cls(_refuse, str, lambda: False)


def _refuse(name: str) -> Weights:
    raise WeightsError(f"There is no model {name!r} here.")
