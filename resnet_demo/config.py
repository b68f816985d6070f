"""The settings of networks and runs, with their limits. No torch here.

The descriptions are the help texts of both the page and the command line.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from resnet_demo.errors import SettingError
from resnet_demo.parsing import Frozen, parse

# --- The networks ------------------------------------------------------------------------------------

CIFAR_DEPTHS = (8, 14, 20, 32, 44, 56, 110, 1202)  # section 4.2: 6n + 2 layers
IMAGENET_STAGES: dict[int, tuple[Literal["basic", "bottleneck"], tuple[int, int, int, int]]] = {
    18: ("basic", (2, 2, 2, 2)),  # Table 1: the number of building blocks in conv2_x … conv5_x
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}


class ModelConfig(Frozen):
    """One network of the paper. `residual` is the switch between a plain and a residual network."""

    design: Literal["cifar", "imagenet"] = Field("cifar", description="Section 4.2's CIFAR nets, or Table 1's ImageNet nets.")
    depth: int = Field(20, ge=8, le=1202, description="Number of layers with weights on the longest path.")
    residual: bool = Field(True, description="With shortcuts (a residual network) or without (a plain network).")
    shortcut: Literal["A", "B"] = Field(
        "A", description="Where the size changes: A pads with zeros and has no parameters, B projects by a 1×1 convolution."
    )
    shortcut_scale: float = Field(
        1.0, ge=0, le=1, description="α in F(x) + αx: how much of x a shortcut adds; the paper's is 1."
    )
    width: int = Field(16, ge=4, le=128, description="Filters in the first stage; each later stage has twice as many.")
    batch_norm: bool = Field(True, description="Batch normalization after each convolution.")
    stride_in: Literal["1x1", "3x3"] = Field(
        "3x3", description="Which convolution of a bottleneck strides: the paper's 1×1, or the 3×3 of the later 'v1.5'."
    )
    classes: int = Field(10, ge=2, le=100_000, description="Number of classes.")
    hidden: Annotated[tuple[Annotated[int, Field(ge=1, le=8192)], ...], Field(max_length=4, strict=False)] = Field(
        (), description="Sizes of the dense layers between the pooled features and the classifier; the paper has none."
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="Share of the inputs of the last layer that a training step sets to zero."
    )

    @model_validator(mode="after")
    def _depth_exists(self) -> ModelConfig:
        if self.design == "cifar" and (self.depth - 2) % 6:
            raise ValueError(f"depth of a CIFAR network is 6n+2 (8, 14, 20, … 110, 1202), not {self.depth}")
        if self.design == "imagenet" and self.depth not in IMAGENET_STAGES:
            raise ValueError(f"depth of an ImageNet network is one of {sorted(IMAGENET_STAGES)}, not {self.depth}")
        return self

    @property
    def name(self) -> str:
        """`resnet20`, `plain34`, … as on the command line."""
        return f"{'resnet' if self.residual else 'plain'}{self.depth}"

    @property
    def kind(self) -> Literal["plain", "residual"]:
        """The paper's word for a network without or with shortcuts; figures take its colour by it."""
        return "residual" if self.residual else "plain"

    @property
    def block(self) -> Literal["basic", "bottleneck"]:
        """Figure 5: the two-layer block, or the three-layer bottleneck."""
        return "basic" if self.design == "cifar" else IMAGENET_STAGES[self.depth][0]

    @property
    def stages(self) -> tuple[int, ...]:
        """The number of building blocks in each stage."""
        return (((self.depth - 2) // 6,) * 3) if self.design == "cifar" else IMAGENET_STAGES[self.depth][1]

    @classmethod
    def named(cls, name: str, **changes: Any) -> ModelConfig:
        """The standard network of that name: `resnet20`, `plain56`, `resnet50`, …

        18, 34, 50, 101 and 152 are Table 1's ImageNet networks (1,000 classes, option B, width 64), unless
        `changes` set another design; every other depth is one of section 4.2's CIFAR networks (10 classes, option A,
        width 16).

        Raises:
            SettingError: no such network.
        """
        match = re.fullmatch(r"(resnet|plain)-?(\d{1,4})", name.strip().lower())
        if match is None:
            raise SettingError(f"There is no architecture {name[:40]!r}: name one like resnet20, plain56 or resnet50.")
        depth = int(match[2])
        standard: dict[str, Any] = {"depth": depth, "residual": match[1] == "resnet"}
        if changes.get("design", "imagenet" if depth in IMAGENET_STAGES else "cifar") == "imagenet":
            standard |= {"design": "imagenet", "shortcut": "B", "width": 64, "classes": 1000}
        return parse(cls, standard | changes)


ARCHITECTURES: tuple[str, ...] = (
    *(f"{kind}{depth}" for depth in CIFAR_DEPTHS for kind in ("resnet", "plain")),
    *(f"resnet{depth}" for depth in IMAGENET_STAGES),
    "plain18",
    "plain34",
)


# --- A training run ----------------------------------------------------------------------------------


class DataConfig(Frozen):
    """The images of a run, and how they are prepared and augmented."""

    source: str = Field(
        "bundled", max_length=1000, description="bundled (5,000 CIFAR-10 images that ship), cifar10, or a folder."
    )
    image_size: Literal[16, 32, 64, 128, 224] = Field(32, description="Side of the square pictures, in pixels.")
    augment: bool = Field(True, description="Random crops out of a padded picture and random mirror images (section 4.2).")
    padding: Literal["mean", "reflect"] = Field(
        "reflect",
        description="What the four padded pixels show: the mean colour (the paper's zeros), or the reflected picture.",
    )
    mirror: Literal["random", "alternating"] = Field(
        "random",
        description="Mirror images: each with probability one half (the paper), or at random in the first epoch and in turn from then "
        "on (arXiv 2404.00498).",
    )
    half_size: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Share of the run, at its beginning, that trains on pictures of half the side (progressive resizing).",
    )
    three_quarter_size: float = Field(
        0.0, ge=0, le=0.9, description="Share of the run, after that, that trains on pictures of three quarters of the side."
    )
    held_out: int = Field(0, ge=0, le=25_000, description="Training images set aside and measured instead of the test images.")
    train_limit: int = Field(0, ge=0, description="Use only the first N training images; 0 uses all.")
    test_limit: int = Field(0, ge=0, description="Measure only the first N test images; 0 measures all.")
    skip_unreadable: bool = Field(
        False, description="Leave out the files of a folder that cannot be read as pictures; the run's record names them."
    )

    @model_validator(mode="after")
    def _ends_at_full_size(self) -> DataConfig:
        if self.half_size + self.three_quarter_size > 0.9:
            raise ValueError(
                f"half_size and three_quarter_size together may be at most 0.9 of the run, not {self.half_size + self.three_quarter_size:g}"
            )
        return self

    def side_at(self, progress: float) -> int:
        """The side in pixels of the training images at this progress of the run, between 0 and 1."""
        if progress < self.half_size:
            return self.image_size // 2
        return self.image_size * 3 // 4 if progress < self.half_size + self.three_quarter_size else self.image_size


class OptimizerConfig(Frozen):
    """The optimizer and its learning rate schedule."""

    name: Literal["sgd", "adam", "muon"] = Field(
        "sgd",
        description="SGD with momentum (the paper's), Adam, or Muon: SGD whose updates of convolutions are orthogonal matrices.",
    )
    learning_rate: float = Field(0.1, gt=0, le=10, description="The highest learning rate of the schedule.")
    filter_rate: float = Field(
        0.25,
        gt=0,
        le=10,
        description="Learning rate of the convolutions with Muon, as a share of that of all other parameters.",
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD and Muon (β1 of Adam).")
    nesterov: bool = Field(False, description="Nesterov's momentum, in place of the paper's classical one; Muon always has it.")
    weight_decay: float = Field(1e-4, ge=0, le=1, description="L2 penalty.")
    decay: Literal["all", "weights"] = Field(
        "all", description="Penalize every parameter (the paper), or only the weights of convolutions and the classifier."
    )
    schedule: Literal["paper", "cosine", "one-cycle", "triangle", "linear", "constant"] = Field(
        "paper",
        description="How the learning rate changes: ÷10 at 50 % and 75 % (the paper), cosine, one-cycle, triangle (rising over 15 %), "
        "linear or constant.",
    )
    low_start: int = Field(
        0,
        ge=0,
        le=100_000,
        description="Steps at a tenth of the learning rate before the schedule (the paper's ResNet-110: about 400).",
    )
    warmup: float = Field(0.0, ge=0, le=0.5, description="Share of the run in which the learning rate rises to its highest.")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="How much of each label is spread over all classes.")


class ArmConfig(Frozen):
    """One of the networks that a run trains in lock-step."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    model: ModelConfig
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of the initial weights and of the order of the batches.")


class TransferConfig(Frozen):
    """What a run of transfer learning adds: its base, and its phases in steps. transfer/settings.py makes it of a visitor's settings.

    The first arm has the base's stages and a new head. The run trains the head for `head_steps`, then the network with its
    last stages unfrozen for `fine_steps`, then, in the steps that remain, the same network from scratch.
    """

    base: str = Field(min_length=1, max_length=1000)
    normalization: Literal["weights", "unit"] = "weights"
    validation: float = Field(0.1, ge=0, le=0.5)
    views: int = Field(0, ge=0, le=16)
    cache_features: bool = True
    train_batch_norm: bool = False
    baselines: bool = True
    unfreeze: int = Field(0, ge=0, le=4)
    head_steps: int = Field(ge=1, le=1_000_000)
    fine_steps: int = Field(0, ge=0, le=1_000_000)
    fine_learning_rate: float = Field(1e-4, gt=0, le=10)


class RunConfig(Frozen):
    """Everything that determines a run. Two runs of one config on one machine produce equal weights."""

    title: str = Field("", max_length=120)
    arms: Annotated[tuple[ArmConfig, ...], Field(min_length=1, max_length=20, strict=False)]
    data: DataConfig = DataConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    transfer: TransferConfig | None = None
    batch: int = Field(128, ge=2, le=1024, description="Pictures in a batch.")
    steps: int = Field(240, ge=1, le=1_000_000, description="Number of batches the run trains on.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Number format of the convolutions: fp32, bf16, or whichever this machine does faster."
    )
    compile: bool = Field(
        False,
        description="Compile the network for this machine before the first step (about a minute for ResNet-20, more for deeper "
        "networks; on a CPU with a C++ compiler and Python's headers): faster steps in a long training of one network.",
    )
    evaluate_every: int = Field(
        0, ge=0, description="Steps between measurements of the held-out or test images; 0 only at the end."
    )
    log_every: int = Field(1, ge=1, le=10_000, description="Steps that one point of the training curve averages over.")
    diagnose_every: int = Field(0, ge=0, description="Steps between readings of gradients and responses by layer; 0 never.")
    checkpoint_every: int = Field(0, ge=0, description="Steps between checkpoints; 0 only at the end.")

    @model_validator(mode="after")
    def _arms_differ(self) -> RunConfig:
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError(f"arms must have different names, not {names}")
        if len({arm.model.classes for arm in self.arms}) > 1:
            raise ValueError("arms of one run must have the same number of classes")
        return self

    @model_validator(mode="after")
    def _phases_fit(self) -> RunConfig:
        if self.transfer and self.transfer.head_steps + self.transfer.fine_steps > self.steps:
            raise ValueError("the phases of a transfer have more steps than the run")
        if self.transfer and (self.compile or self.diagnose_every or self.data.held_out):
            raise ValueError("a transfer is not compiled, reads no gradients by layer and holds out its own validation part")
        return self

    @model_validator(mode="after")
    def _muon_fits(self) -> RunConfig:
        if self.optimizer.name == "muon" and not all(arm.model.batch_norm for arm in self.arms):
            raise ValueError("Muon sets the length of filters, so that it needs batch normalization after them")
        return self

    @model_validator(mode="after")
    def _compiles_one(self) -> RunConfig:
        if self.compile and (len(self.arms) > 1 or self.diagnose_every):
            raise ValueError("only a run of one network, without readings by layer, can be compiled")
        return self
