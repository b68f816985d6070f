"""Classify and Grad-CAM on ResNet-50 at 224, as a ratio to a bare forward pass: `python benchmarks/explain.py`.

Five ways answer the same input tensor with the same random weights, interleaved in one run, so that whatever else the
machine does meets all of them. The first one is the measure: torchvision's model, the forward pass alone. The last
line is the goal. Needs torchvision, captum and grad-cam (requirements-dev.txt).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import captum.attr
import numpy
import torch
import torchvision
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

sys.path.insert(0, str(Path(__file__).parents[1]))

from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.inference.classify import classify
from resnet_demo.inference.explain import grad_cam
from resnet_demo.model.resnet import build
from resnet_demo.zoo.folder import Weights

GOAL = 1.15


def ways() -> dict[str, Callable[[], numpy.ndarray]]:
    """What is compared; each gives the logits or the map."""
    ours = build(ModelConfig.named("resnet50")).eval().requires_grad_(False)
    theirs = torchvision.models.resnet50(weights=None).eval()
    theirs.load_state_dict(ours.state_dict())
    frozen = torchvision.models.resnet50(weights=None).eval().requires_grad_(False)
    frozen.load_state_dict(ours.state_dict())
    weights = Weights("resnet50", ours, Preprocessing(image_size=224, resize=224), tuple(map(str, range(1000))))
    picture = Image.fromarray(numpy.random.default_rng(0).integers(0, 256, (224, 224, 3), numpy.uint8))
    x = weights.preprocessing(picture).contiguous()
    package = GradCAM(model=theirs, target_layers=[theirs.layer4])

    def bare() -> numpy.ndarray:
        with torch.no_grad():
            return frozen(x).numpy()

    def this_project() -> numpy.ndarray:
        answer = classify(weights, picture)  # with the preprocessing, which the others are spared
        return grad_cam(answer, "layer4", answer.top(1)[0].index).values

    def two_passes() -> numpy.ndarray:
        with torch.no_grad():
            target = int(frozen(x).argmax())
        inputs = x.detach().requires_grad_()
        return captum.attr.LayerGradCam(frozen, frozen.layer4).attribute(inputs, target).detach().numpy()

    def grad_cam_package() -> numpy.ndarray:
        with torch.no_grad():
            target = int(theirs(x).argmax())
        return package(input_tensor=x, targets=[ClassifierOutputTarget(target)])

    def grad_cam_package_in_one_pass() -> numpy.ndarray:
        return package(input_tensor=x, targets=None)  # of the likeliest class, which the package finds itself

    return {
        "torchvision, forward only": bare,
        "this project: classify + grad_cam": this_project,
        "captum: predict, then LayerGradCam": two_passes,
        "grad-cam: predict, then GradCAM": grad_cam_package,
        "grad-cam: GradCAM of the likeliest": grad_cam_package_in_one_pass,
    }


def main() -> None:
    """Time all ways and print the medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: for a machine that does other work too")
    parsed = parser.parse_args()
    clock = time.perf_counter if parsed.clock == "wall" else time.process_time
    torch.set_num_threads(parsed.threads)
    compared = ways()
    seconds: dict[str, list[float]] = {name: [] for name in compared}
    for number in range(parsed.rounds + 2):
        for name, way in compared.items():
            start = clock()
            way()
            if number >= 2:  # two rounds to warm up
                seconds[name].append(clock() - start)
    base = seconds["torchvision, forward only"]
    print(f"torch {torch.__version__}, {parsed.threads} threads, {parsed.rounds} rounds, medians of {parsed.clock} time")
    for name, measured in seconds.items():
        ratio = statistics.median(one / other for one, other in zip(measured, base, strict=True))
        print(f"{name:36} {1000 * statistics.median(measured):8.1f} ms   {ratio:5.2f} ×")
        if name.startswith("this project"):
            ours = ratio
    print(f"goal: at most {GOAL} ×; {'reached' if ours <= GOAL else 'missed'}")


if __name__ == "__main__":
    main()
