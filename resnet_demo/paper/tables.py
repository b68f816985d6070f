"""Tables 1 to 8 of the paper as data, each with its conditions. No torch here.

The values are those that the paper prints (He, Zhang, Ren, Sun 2015, arXiv 1512.03385), and `RELEASED` those that the
authors published with their weights. Nothing here was read off a figure: of the plain CIFAR networks the paper prints
no numbers, only the curves of Figure 6.
"""

from __future__ import annotations

from dataclasses import dataclass

from resnet_demo.config import ModelConfig

PAPER = "arXiv 1512.03385"
TEST_ERROR, TOP_1, TOP_5 = "test error, %", "top-1 error, %", "top-5 error, %"
ERRORS = (TEST_ERROR, TOP_1, TOP_5)
PARAMETERS, MULTIPLY_ADDS = "parameters, millions", "multiply-adds, billions"
BEST_OF_FIVE, MEAN_OF_FIVE = "best of 5 runs", "mean of 5 runs, ± 0.16"


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Args:
        method: the network or method, as the paper names it.
        values: one for each of the table's metrics; None where the paper prints none.
        config: the network; None where it is another project's, or one that this project cannot build (option C).
        note: a condition of this line alone.
        digits: decimals that are printed of an error.
    """

    method: str
    values: tuple[float | None, ...]
    config: ModelConfig | None = None
    note: str = ""
    digits: int = 2


@dataclass(frozen=True)
class Table:
    """One table.

    Args:
        source: where it is printed.
        title: what it shows.
        metrics: the names of its columns, with their units.
        conditions: how all its lines were measured.
        rows: its lines.
    """

    source: str
    title: str
    metrics: tuple[str, ...]
    conditions: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Published:
    """A published error in percent of one network.

    Args:
        source: the table.
        value: in percent.
        metric: one of ERRORS.
        conditions: split, crops and runs, and how the network differs from the one that was asked for.
    """

    source: str
    value: float
    metric: str
    conditions: str


def _imagenet(name: str, shortcut: str = "B") -> ModelConfig:
    """A network of Table 1; a bottleneck strides in its first 1×1 layer."""
    return ModelConfig.named(name, shortcut=shortcut, stride_in="1x1")


TEN_CROP = "ImageNet 2012, 50,000 validation images, 10 crops of 224×224 each"
MULTI_SCALE = (
    "ImageNet 2012, 50,000 validation images, fully convolutional, scores averaged over images whose shorter side is 224, 256, "
    "384, 480 and 640; lines marked † are on the test images"
)
ONE_CROP = "ImageNet 2012, 50,000 validation images, one central crop of 224×224 of images whose shorter side is 256"
TEST_SET = "† on the test images"

TABLE_1 = Table(
    f"{PAPER}, Table 1", "Architectures for ImageNet, and their cost", (MULTIPLY_ADDS,),
    "One picture of 224×224. Printed there as FLOPs: multiply-adds, where a bottleneck strides in its first 1×1 layer",
    tuple(
        Row(f"ResNet-{depth}", (cost,), _imagenet(f"resnet{depth}", "A" if depth < 50 else "B"))
        for depth, cost in ((18, 1.8), (34, 3.6), (50, 3.8), (101, 7.6), (152, 11.3))
    ),
)  # fmt: skip

TABLE_2 = Table(
    f"{PAPER}, Table 2", "Plain and residual networks of equal depth on ImageNet", (TOP_1,),
    f"{TEN_CROP}; shortcuts of option A, so a residual network has the parameters of its plain twin",
    (
        Row("plain, 18 layers", (27.94,), _imagenet("plain18", "A")),
        Row("plain, 34 layers", (28.54,), _imagenet("plain34", "A")),
        Row("ResNet, 18 layers", (27.88,), _imagenet("resnet18", "A")),
        Row("ResNet, 34 layers", (25.03,), _imagenet("resnet34", "A")),
    ),
)  # fmt: skip

TABLE_3 = Table(
    f"{PAPER}, Table 3", "Shortcuts of options A, B and C, and deeper networks, on ImageNet", (TOP_1, TOP_5),
    f"{TEN_CROP}; ResNet-50, 101 and 152 have shortcuts of option B",
    (
        Row("VGG-16", (28.07, 9.33)),
        Row("GoogLeNet", (None, 9.15)),
        Row("PReLU-net", (24.27, 7.38)),
        Row("plain-34", (28.54, 10.02), _imagenet("plain34", "A")),
        Row("ResNet-34 A", (25.03, 7.76), _imagenet("resnet34", "A")),
        Row("ResNet-34 B", (24.52, 7.46), _imagenet("resnet34")),
        Row("ResNet-34 C", (24.19, 7.40), note="every shortcut is a projection"),
        Row("ResNet-50", (22.85, 6.71), _imagenet("resnet50")),
        Row("ResNet-101", (21.75, 6.05), _imagenet("resnet101")),
        Row("ResNet-152", (21.43, 5.71), _imagenet("resnet152")),
    ),
)  # fmt: skip

TABLE_4 = Table(
    f"{PAPER}, Table 4", "Single networks on ImageNet", (TOP_1, TOP_5), MULTI_SCALE,
    (
        Row("VGG (ILSVRC'14)", (None, 8.43), note=TEST_SET),
        Row("GoogLeNet (ILSVRC'14)", (None, 7.89)),
        Row("VGG (v5)", (24.4, 7.1), digits=1),
        Row("PReLU-net", (21.59, 5.71)),
        Row("BN-inception", (21.99, 5.81)),
        Row("ResNet-34 B", (21.84, 5.71), _imagenet("resnet34")),
        Row("ResNet-34 C", (21.53, 5.60), note="every shortcut is a projection"),
        Row("ResNet-50", (20.74, 5.25), _imagenet("resnet50")),
        Row("ResNet-101", (19.87, 4.60), _imagenet("resnet101")),
        Row("ResNet-152", (19.38, 4.49), _imagenet("resnet152")),
    ),
)  # fmt: skip

TABLE_5 = Table(
    f"{PAPER}, Table 5", "Ensembles on ImageNet", (TOP_5,), "ImageNet 2012 test images, as reported by the test server",
    (
        Row("VGG (ILSVRC'14)", (7.32,)),
        Row("GoogLeNet (ILSVRC'14)", (6.66,)),
        Row("VGG (v5)", (6.8,), digits=1),
        Row("PReLU-net", (4.94,)),
        Row("BN-inception", (4.82,)),
        Row("ResNet (ILSVRC'15)", (3.57,), note="six networks of different depth, two of them of 152 layers"),
    ),
)  # fmt: skip


def _cifar(depth: int, parameters: float, error: float, note: str = "") -> Row:
    return Row(f"ResNet-{depth}", (parameters, error), ModelConfig.named(f"resnet{depth}", design="cifar"), note)


TABLE_6 = Table(
    f"{PAPER}, Table 6", "Networks for CIFAR-10", (PARAMETERS, TEST_ERROR),
    "CIFAR-10, 10,000 test images, one view of each, trained with data augmentation; ResNets: section 4.2, 64,000 iterations of "
    "128 images",
    (
        Row("Maxout", (None, 9.38)),
        Row("NIN", (None, 8.81)),
        Row("DSN", (None, 8.22)),
        Row("FitNet, 19 layers", (2.5, 8.39)),
        Row("Highway, 19 layers", (2.3, 7.54), note="best run; mean and deviation 7.72 ± 0.16"),
        Row("Highway, 32 layers", (1.25, 8.80)),
        _cifar(20, 0.27, 8.75),
        _cifar(32, 0.46, 7.51),
        _cifar(44, 0.66, 7.17),
        _cifar(56, 0.85, 6.97),
        _cifar(110, 1.7, 6.43, BEST_OF_FIVE),
        _cifar(110, 1.7, 6.61, MEAN_OF_FIVE),
        _cifar(1202, 19.4, 7.93),
    ),
)  # fmt: skip

TABLE_7 = Table(
    f"{PAPER}, Table 7", "Detection on PASCAL VOC", ("VOC 07 test, mAP %", "VOC 12 test, mAP %"),
    "Faster R-CNN, the baseline; trained on VOC 07+12 for VOC 07 test, on VOC 07++12 for VOC 12 test",
    (Row("VGG-16", (73.2, 70.4)), Row("ResNet-101", (76.4, 73.8))),
)  # fmt: skip

TABLE_8 = Table(
    f"{PAPER}, Table 8", "Detection on COCO", ("mAP@.5, %", "mAP@[.5, .95], %"),
    "Faster R-CNN, the baseline; COCO validation images",
    (Row("VGG-16", (41.5, 21.2)), Row("ResNet-101", (48.4, 27.2))),
)  # fmt: skip

RELEASED = Table(
    "the authors' released weights, github.com/KaimingHe/deep-residual-networks", "One crop on ImageNet", (TOP_1, TOP_5), ONE_CROP,
    (
        Row("ResNet-50", (24.7, 7.8), _imagenet("resnet50"), digits=1),
        Row("ResNet-101", (23.6, 7.1), _imagenet("resnet101"), digits=1),
        Row("ResNet-152", (23.0, 6.7), _imagenet("resnet152"), digits=1),
    ),
)  # fmt: skip

TABLES = (TABLE_1, TABLE_2, TABLE_3, TABLE_4, TABLE_5, TABLE_6, TABLE_7, TABLE_8)
"""The paper's tables, in its order."""


def published(config: ModelConfig) -> tuple[Published, ...]:
    """The published errors of a network, those of one view of a picture first; none if nobody published any.

    Width, classes and normalization must be the paper's. Where the paper printed a number only for other shortcuts, or its
    bottlenecks stride in another layer, `conditions` says so. Whether a model was trained on CIFAR-10 or on ImageNet, its
    config does not tell: ask only for those.
    """
    rows = [(table, row) for table in (RELEASED, TABLE_6, TABLE_2, TABLE_3, TABLE_4) for row in table.rows if row.config]
    equal = [(table, row) for table, row in rows if row.config and _standard(row.config) == _standard(config)]
    if not equal:  # ResNet-18 of option B: the paper has it of option A only
        twin = _standard(config.model_copy(update={"shortcut": "A"}))
        equal = [(table, row) for table, row in rows if row.config and _standard(row.config) == twin]
    return tuple(
        Published(table.source, value, metric, "; ".join((table.conditions, *_differences(row, config))))
        for table, row in equal
        for metric, value in zip(table.metrics, row.values, strict=True)
        if metric in ERRORS and value is not None
    )


def _standard(config: ModelConfig) -> ModelConfig:
    """The config without what changes no published number: a plain network's shortcut, and the layer that strides."""
    return config.model_copy(update={"stride_in": "3x3"} | ({} if config.residual else {"shortcut": "A"}))


def _differences(row: Row, config: ModelConfig) -> list[str]:
    """The conditions of one line, and what its network has that `config` has not."""
    assert row.config is not None
    notes = [row.note] if row.note else []
    if config.residual and row.config.shortcut != config.shortcut:
        notes.append(f"with shortcuts of option {row.config.shortcut}, not {config.shortcut}")
    if config.block == "bottleneck" and row.config.stride_in != config.stride_in:
        notes.append("with the stride in the first 1×1 layer of a bottleneck, not in its 3×3 layer")
    return notes
