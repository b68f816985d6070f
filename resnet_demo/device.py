"""Where networks run: the accelerator that torch finds, if it really works, else the CPU, with the reason."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Device:
    """Where networks run.

    Args:
        device: the device of torch.
        name: the name of the hardware, for people.
        reason: why it is this device, in one sentence.
    """

    device: torch.device
    name: str
    reason: str


def choose() -> Device:
    """The accelerator torch finds (CUDA, ROCm, MPS, XPU) if a small convolution gives the right answer there, else the CPU.

    Each call tries the accelerator again; a service calls it once and keeps the answer.
    """
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    cpu = torch.device("cpu")
    if accelerator is None:
        return Device(cpu, name_of(cpu), "torch finds no accelerator here.")
    fault = _fault(accelerator)
    if fault:
        reason = f"torch finds an accelerator ({accelerator.type}), but it does not work: {fault}"
        return Device(cpu, name_of(cpu), reason)
    reason = f"torch finds this accelerator ({accelerator.type}), and a convolution runs on it."
    return Device(accelerator, name_of(accelerator), reason)


def _fault(device: torch.device) -> str:
    """Why a small network cannot be trained on the device; empty if it can. Drivers too old or too new fail here first."""
    x = torch.linspace(-1, 1, 2 * 3 * 8 * 8).view(2, 3, 8, 8)
    weight = torch.linspace(-1, 1, 4 * 3 * 3 * 3).view(4, 3, 3, 3)
    try:
        parameter = weight.to(device).requires_grad_()
        with torch.enable_grad():
            F.conv2d(x.to(device), parameter, padding=1).relu().sum().backward()
        assert parameter.grad is not None
        output = F.conv2d(x.to(device), parameter.detach(), padding=1).cpu()
        finite = bool(torch.isfinite(parameter.grad.cpu()).all())
    except Exception as error:  # each driver raises its own kinds
        return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".") + "."
    if not finite or not torch.allclose(output, F.conv2d(x, weight, padding=1), rtol=1e-2, atol=1e-2):
        return "a convolution gives wrong numbers there."
    return ""


def name_of(device: torch.device) -> str:
    """The name of the hardware, for people."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "xpu":
        return torch.xpu.get_device_name(device)
    return f"{device.type} ({platform.machine()})"
