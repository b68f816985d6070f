"""The request that the page and the API send about an experiment. No torch here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from resnet_demo.inside.experiments import EXPERIMENTS, Experiment
from resnet_demo.parsing import Frozen

ExperimentName = Literal["gradients", "drop", "dial", "responses", "maps", "neighbours", "loss", "surface"]
Way = Literal["each", "several", "order"]


class InsideRequest(Frozen):
    """One experiment and its settings; each experiment reads some of them (`Experiment.fields`)."""

    experiment: ExperimentName = Field("gradients", description="Which experiment.")
    depth: int = Field(56, ge=8, le=110, description="Layers of two untrained networks: 8, 14, 20 … 110.")
    model: str = Field("resnet20-cifar10", min_length=1, max_length=200, description="A trained network.")
    second: str = Field("plain20-cifar10", max_length=200, description="A second trained network; empty for none.")
    way: Way = Field("each", description="Blocks off one by one, several at random, or in another order.")
    picture: str = Field("cifar10-cat", min_length=1, max_length=100, description="A picture that ships.")
    layer: int = Field(1, ge=0, le=54, description="Whose maps are shown: 0 the first layer, then the blocks in order.")
    seed: int = Field(0, ge=0, le=99, description="Of whatever is drawn at random.")

    @field_validator("depth")
    @classmethod
    def _depth_exists(cls, depth: int) -> int:
        if (depth - 2) % 6:
            raise ValueError(f"the depth of a CIFAR network is 6n+2 (8, 14, 20, … 110), not {depth}")
        return depth

    @property
    def about(self) -> Experiment:
        """Question, reference and caveat of the experiment."""
        return EXPERIMENTS[self.experiment]

    @property
    def is_slow(self) -> bool:
        """Whether it takes minutes, so that its outcome is kept on disk."""
        return self.experiment == "surface"

    @property
    def settings(self) -> dict[str, Any]:
        """The experiment and the settings that it reads."""
        return {name: getattr(self, name) for name in ("experiment", *self.about.fields)}

    @property
    def models(self) -> tuple[str, ...]:
        """The trained networks that the experiment reads, each once."""
        return tuple(dict.fromkeys(name for field in ("model", "second") if (name := self.settings.get(field))))

    @property
    def query(self) -> dict[str, Any]:
        """Every field for the address of the page; None for one that is not read or has its default."""
        defaults, settings = InsideRequest(), self.settings
        return {
            name: None if name not in settings or settings[name] == getattr(defaults, name) else settings[name]
            for name in InsideRequest.model_fields
        }
