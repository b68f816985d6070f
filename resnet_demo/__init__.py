"""ResNet Lab: see, with your own pictures and in a minute, why residual networks work.

The reading order:

    config.py       what can be set, and within which limits
    model/          the paper's networks: blocks.py, then resnet.py
    data/           pictures as whole tensors: CIFAR-10, a folder, augmentation
    training/       events.py, loop.py, then session.py: a run's whole life on one page
    transfer/       the same loop in phases: a head on a frozen base, then its last stages
    evaluation/     how good a model is
    zoo/            where weights come from
    inference/      a picture in, a label and a map out
    ui/             the page
    __main__.py     the command line

Importing the package loads none of it.
"""

__version__ = "0.1.0"
