from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from resnet_demo import device


def test_without_an_accelerator_the_cpu_is_chosen_and_the_reason_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: None)
    chosen = device.choose()
    assert chosen.device == torch.device("cpu")
    assert chosen.name.startswith("cpu (")
    assert chosen.reason == "torch finds no accelerator here."


def test_an_accelerator_that_does_not_work_is_left_with_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a driver that fails: it computes nothing, so its answer cannot be read back."""
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: torch.device("meta"))
    chosen = device.choose()
    assert chosen.device == torch.device("cpu")
    assert chosen.reason.startswith("torch finds an accelerator (meta), but it does not work: NotImplementedError: ")


def test_an_accelerator_that_computes_wrongly_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.nn.functional.conv2d
    calls: list[int] = []

    def wrong_at_first(*arguments: torch.Tensor, padding: int) -> torch.Tensor:
        calls.append(1)
        return real(*arguments, padding=padding) + (len(calls) == 2)

    monkeypatch.setattr(device, "F", SimpleNamespace(conv2d=wrong_at_first))
    assert device._fault(torch.device("cpu")) == "a convolution gives wrong numbers there."


def test_a_device_that_works_has_no_fault() -> None:
    assert device._fault(torch.device("cpu")) == ""
