"""A copy of a network in which each batch normalization is part of the convolution before it: the same answers, sooner."""

from __future__ import annotations

import copy
from typing import cast

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from resnet_demo.model.resnet import ResNet


def fused(model: ResNet) -> ResNet:
    """A copy in evaluation mode, without batch normalization; `model` is unchanged.

    In evaluation mode a normalization multiplies each channel by a constant and adds another one, so weights and bias of
    the convolution before it can hold both. The logits differ by rounding only.
    """
    result = copy.deepcopy(model).eval()
    for parent in result.modules():
        children = dict(parent.named_children())
        for name, layer in children.items():
            before = name.replace("bn", "conv") if name.startswith("bn") else "0"  # downsample is (0: conv, 1: norm)
            convolution = children.get(before)
            if isinstance(layer, nn.BatchNorm2d) and isinstance(convolution, nn.Conv2d):
                setattr(parent, before, fuse_conv_bn_eval(convolution, layer))
                setattr(parent, name, nn.Identity())
    return cast("ResNet", result.requires_grad_(False))
