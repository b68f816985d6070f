"""The request that the page and the API send about a picture. No torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from resnet_demo.parsing import Frozen

METHODS = {
    "Grad-CAM": "grad-cam",
    "Guided Grad-CAM": "guided-grad-cam",
    "Integrated gradients": "integrated-gradients",
    "Occlusion": "occlusion",
}
TITLES = {method: title for title, method in METHODS.items()}


class ClassifyRequest(Frozen):
    """Which networks classify a picture, and what to explain of their answers."""

    model: str = Field("resnet20-cifar10", min_length=1, max_length=200, description="The network to ask.")
    second: str = Field("", max_length=200, description="A second network, to compare with; empty for none.")
    stage: str = Field("", max_length=20, description="The stage whose map is shown first; empty for the last one.")
    target: int = Field(-1, ge=-1, lt=100_000, description="The class that the maps explain; -1 for the first answer's.")
    target_of: int = Field(
        0, ge=0, le=1, description="Whose numbering target and contrast are in: 0 the network's, 1 the second's."
    )
    contrast: int = Field(-1, ge=-1, lt=100_000, description="Explain why the target and not this class; -1 for none.")
    method: Literal["grad-cam", "guided-grad-cam", "integrated-gradients", "occlusion"] = Field(
        "grad-cam", description="Grad-CAM is always shown; the other methods take many passes and are added to it."
    )
    signed: bool = Field(False, description="Show also what speaks against the class.")
    top_k: int = Field(5, ge=1, le=20, description="How many classes are listed.")
