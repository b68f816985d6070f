"""What all answers share: the device, the loaded models, the downloads, the threads and the finished answers."""

from __future__ import annotations

import torch

from resnet_demo.device import Device, choose
from resnet_demo.inference.answer_cache import AnswerCache
from resnet_demo.inference.threads import AnswerThreads
from resnet_demo.zoo.downloads import Downloads
from resnet_demo.zoo.model_cache import ModelCache


class Models:
    """The models of one app, and what it takes to load them and to run them for many requests at a time.

    Args:
        device: where the models run; by default the result of `device.choose`.
        answers: finished answers about the example pictures; by default a new, empty cache.
    """

    def __init__(self, device: Device | None = None, answers: AnswerCache | None = None) -> None:
        self.device = choose() if device is None else device
        self.cache = ModelCache(device=self.device.device)
        self.downloads = Downloads(self.cache)
        self.threads = AnswerThreads(torch.get_num_threads())
        self.answers = AnswerCache() if answers is None else answers
