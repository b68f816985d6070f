"""Figure 7's numbers of a model, as they lie in weights/<model>/responses.json. No torch here; layer_responses.py computes them."""

from __future__ import annotations

from pydantic import Field

from resnet_demo.parsing import Frozen

RESPONSES = "responses.json"


class Responses(Frozen):
    """The standard deviation of each 3×3 layer's response, first to last.

    A response is what a layer gives after its normalization, before relu or the addition (section 4.2). The network is in
    evaluation mode; the deviation is over all images, channels and positions.
    """

    images: str
    layers: tuple[str, ...] = Field(strict=False)
    deviations: tuple[float, ...] = Field(strict=False)
