"""What this machine does well: an answer that can be used, whatever the machine is."""

from __future__ import annotations

import sys

import pytest
import torch

from resnet_demo.training import machine


def test_the_device_is_the_accelerator_torch_finds_or_the_cpu() -> None:
    found = torch.accelerator.current_accelerator(check_available=True)
    assert machine.device().type == (found.type if found is not None else "cpu")


@pytest.mark.parametrize(("fp32", "bf16", "chosen"), [(1.0, 0.5, "bf16"), (1.0, 0.95, "fp32"), (1.0, 3.0, "fp32")])
def test_the_format_that_is_clearly_faster_is_chosen(
    monkeypatch: pytest.MonkeyPatch, fp32: float, bf16: float, chosen: str
) -> None:
    seconds = {"fp32": [fp32 * 9, fp32], "bf16": [bf16, bf16 * 9]}
    monkeypatch.setattr(machine, "_seconds", lambda _, precision: seconds[precision])
    machine.faster_precision.cache_clear()
    assert machine.faster_precision(torch.device("cpu")) == chosen
    machine.faster_precision.cache_clear()


def test_both_formats_can_be_timed() -> None:
    for precision in ("fp32", "bf16"):
        assert all(seconds > 0 for seconds in machine._seconds(torch.device("cpu"), precision))


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's advice")
def test_other_systems_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert machine.keep_memory() is False
