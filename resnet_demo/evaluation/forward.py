"""Answers to many pictures, sooner than one forward pass after the other in fp32, and the same but for near ties.

- Batch normalization is part of the convolutions (`fused`): the logits differ by rounding only.
- The channels of a pixel lie side by side in memory (`channels_last`), as the kernels of convolutions read them.
- Where the processor computes faster in bf16, it does; pictures whose two likeliest classes are closer than `NEAR_TIE` are then
  computed again in fp32. LOG.md has the counts: of 10,000 pictures no answer differs from that in fp32.
- On a CPU each of torch's threads computes pictures of its own: the threads of one operation would wait for each other.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from resnet_demo.data.augment import normalize
from resnet_demo.evaluation.threads import one_processor_each
from resnet_demo.model.resnet import ResNet
from resnet_demo.zoo.folder import Weights

NEAR_TIE = 1.0
"""The difference of two logits below which bf16 cannot decide: its logits were wrong by at most 0.43 (LOG.md)."""
TRIAL = 32
"""Pictures on which both formats are timed."""


class Forward:
    """A model that answers batches of pictures. Use `ready`, which ends its threads."""

    def __init__(self, weights: Weights, threads: ThreadPoolExecutor | None, *, exact: bool) -> None:
        self._model = fused(weights.model)
        self._preprocessing = weights.preprocessing
        self._device = weights.model.device
        self._threads = threads
        self._bf16: bool | None = None if self._device.type == "cpu" and not exact else False

    @property
    def precision(self) -> str:
        """The number format: bf16, or fp32."""
        return "bf16, near ties in fp32" if self._bf16 else "fp32"

    def __call__(self, images: Tensor) -> Tensor:
        """The logits of pictures of the model's input size, (n, 3, H, W) uint8: (n, classes) float32 on the CPU."""
        if self._bf16 is None:
            self._bf16 = self._is_bf16_faster(images[:TRIAL])
        if self._threads is None:
            return self._logits(images)
        parts = images.chunk(torch.get_num_threads())
        return torch.cat(list(self._threads.map(self._logits, parts)))

    def _logits(self, images: Tensor) -> Tensor:
        x = normalize(images.to(self._device), self._preprocessing.mean, self._preprocessing.std)
        if not self._bf16:
            return self._pass(x, bf16=False)
        logits = self._pass(x, bf16=True)
        first, second = logits.topk(2).values.unbind(1)
        near = first - second < NEAR_TIE
        if near.any():
            logits[near] = self._pass(x[near], bf16=False)
        return logits

    def _pass(self, x: Tensor, *, bf16: bool) -> Tensor:
        with torch.no_grad(), torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
            logits: Tensor = self._model(x.contiguous(memory_format=torch.channels_last))
        return logits.float().cpu()

    def _is_bf16_faster(self, images: Tensor) -> bool:
        x = normalize(images, self._preprocessing.mean, self._preprocessing.std)
        seconds: dict[bool, list[float]] = {False: [], True: []}
        for bf16 in (False, True) * 3:  # in turn, so that other work on the machine slows both
            start = time.perf_counter()
            self._pass(x, bf16=bf16)
            seconds[bf16].append(time.perf_counter() - start)
        return min(seconds[True]) < 0.9 * min(seconds[False])


@contextmanager
def ready(weights: Weights, *, exact: bool = False) -> Iterator[Forward]:
    """The model, ready to answer, with the threads that it takes; in fp32 if `exact`. `weights` is unchanged."""
    if torch.get_num_threads() == 1 or weights.model.device.type != "cpu":
        yield Forward(weights, None, exact=exact)
        return
    with one_processor_each() as pool:
        yield Forward(weights, pool, exact=exact)


def fused(model: ResNet) -> ResNet:
    """A copy in evaluation mode, without batch normalization; `model` is unchanged.

    In evaluation mode a normalization multiplies each channel by a constant and adds another one, so weights and bias of
    the convolution before it can hold both.
    """
    result = copy.deepcopy(model).eval()
    for parent in result.modules():
        children = dict(parent.named_children())
        for name, layer in children.items():
            before = name.replace("bn", "conv") if name.startswith("bn") else "0"  # a projection is (0: convolution, 1: norm)
            convolution = children.get(before)
            if isinstance(layer, nn.BatchNorm2d) and isinstance(convolution, nn.Conv2d):
                setattr(parent, before, fuse_conv_bn_eval(convolution, layer))
                setattr(parent, name, nn.Identity())
    return result.to(memory_format=torch.channels_last).requires_grad_(False)
