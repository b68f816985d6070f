"""Where networks run: the accelerator that torch finds, if it really works, else the CPU, with the reason."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Device:
    """The chosen device.

    Args:
        device: as torch names it.
        name: as a person names it.
        reason: one sentence that says why it was chosen.
    """

    device: torch.device
    name: str
    reason: str


@lru_cache(maxsize=1)
def choose() -> Device:
    """The accelerator torch finds (CUDA, ROCm, MPS, XPU) if a small convolution gives the right answer there, else the CPU."""
    found = torch.accelerator.current_accelerator(check_available=True)
    if found is None:
        return Device(torch.device("cpu"), name_of(torch.device("cpu")), "torch finds no accelerator here.")
    fault = _fault(found)
    if fault:
        reason = f"torch finds an accelerator ({found.type}), but it does not work: {fault}"
        return Device(torch.device("cpu"), name_of(torch.device("cpu")), reason)
    return Device(found, name_of(found), f"torch finds this accelerator ({found.type}), and a convolution runs on it.")


def _fault(device: torch.device) -> str:
    """Why a small network cannot be trained there; empty if it can. Drivers too old or too new show here first."""
    x = torch.linspace(-1, 1, 2 * 3 * 8 * 8).view(2, 3, 8, 8)
    weight = torch.linspace(-1, 1, 4 * 3 * 3 * 3).view(4, 3, 3, 3)
    try:
        there = weight.to(device).requires_grad_()
        with torch.enable_grad():
            F.conv2d(x.to(device), there, padding=1).relu().sum().backward()
        assert there.grad is not None
        got = F.conv2d(x.to(device), there.detach(), padding=1).cpu()
        finite = bool(torch.isfinite(there.grad.cpu()).all())
    except Exception as error:  # each driver raises its own kinds
        return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".") + "."
    if not finite or not torch.allclose(got, F.conv2d(x, weight, padding=1), rtol=1e-2, atol=1e-2):
        return "a convolution gives wrong numbers there."
    return ""


def name_of(device: torch.device) -> str:
    """What a person calls the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "xpu":
        return torch.xpu.get_device_name(device)
    return f"{device.type} ({platform.machine()})"
