"""The request that the page and the API send about an evaluation. No torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from resnet_demo.parsing import Frozen

Show = Literal["mistakes", "cell", "first", "second", "neither"]


class EvaluateRequest(Frozen):
    """Which models are measured on which data, and which of the pictures are shown."""

    model: str = Field("resnet20-cifar10", min_length=1, max_length=200, description="The network to measure.")
    second: str = Field("", max_length=200, description="A second network, on the same pictures; empty for none.")
    data: str = Field("bundled", min_length=1, max_length=1000, description="bundled, cifar10 or a folder that the app allows.")
    show: Show = Field(
        "mistakes", description="The pictures: the most confident mistakes, a cell, or those on which two networks differ."
    )
    of: int = Field(0, ge=0, le=1, description="The network whose mistakes or cell are shown: 0 the first, 1 the second.")
    row: int = Field(-1, ge=-1, lt=100_000, description="The right class of a cell's pictures.")
    column: int = Field(
        -1, ge=-1, lt=100_000, description="The class that it names for them; -1 for all classes without pictures."
    )

    @model_validator(mode="after")
    def _second_is_there(self) -> EvaluateRequest:
        if len(self.models) < 2 and (self.of == 1 or self.show in ("first", "second", "neither")):
            raise ValueError("there is no second network to compare with")
        if self.show == "cell" and self.row < 0:
            raise ValueError("a cell has a row, the number of the right class")
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """The networks, the first one first."""
        return (self.model, self.second) if self.second and self.second != self.model else (self.model,)
