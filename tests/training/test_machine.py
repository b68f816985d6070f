"""What this machine does well: an answer that can be used, whatever the machine is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch

from resnet_demo.training import machine


def test_the_device_is_the_accelerator_torch_finds_or_the_cpu() -> None:
    found = torch.accelerator.current_accelerator(check_available=True)
    assert machine.Machine().device.type == (found.type if found is not None else "cpu")


@pytest.mark.parametrize(("fp32", "bf16", "chosen"), [(1.0, 0.5, "bf16"), (1.0, 0.95, "fp32"), (1.0, 3.0, "fp32")])
def test_the_format_that_is_clearly_faster_is_chosen(
    monkeypatch: pytest.MonkeyPatch, fp32: float, bf16: float, chosen: str
) -> None:
    seconds = {"fp32": [fp32 * 9, fp32], "bf16": [bf16, bf16 * 9]}
    monkeypatch.setattr(machine, "_seconds", lambda _, precision: seconds[precision])
    assert machine.Machine(torch.device("cpu")).faster_precision == chosen


def test_both_formats_can_be_timed() -> None:
    for precision in ("fp32", "bf16"):
        assert all(seconds > 0 for seconds in machine._seconds(torch.device("cpu"), precision))


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's advice")
def test_other_systems_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert machine.keep_memory() is False


@pytest.fixture
def with_threads() -> Iterator[Callable[[int], None]]:
    """Sets torch's threads, as the operator or the machine does; afterwards they are as they were."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("networks", "threads", "at_once", "each_has"), [(2, 2, 2, 1), (2, 5, 2, 2), (10, 3, 3, 1), (3, 2, 2, 1), (10, 16, 4, 4)]
)
def test_networks_share_the_threads_and_as_many_learn_at_once_as_there_are_up_to_four(
    with_threads: Callable[[int], None], networks: int, threads: int, at_once: int, each_has: int
) -> None:
    with_threads(threads)
    met = Barrier(at_once)
    with machine.side_by_side(networks, torch.device("cpu")) as each:
        found = list(each(lambda number: (number, torch.get_num_threads(), met.wait(timeout=30)), range(at_once)))
    assert [(number, has) for number, has, _ in found] == [(number, each_has) for number in range(at_once)]
    with ThreadPoolExecutor(1) as later:
        assert [torch.get_num_threads(), later.submit(torch.get_num_threads).result()] == [threads, threads]


@pytest.mark.parametrize(("networks", "threads", "on"), [(1, 2, "cpu"), (2, 1, "cpu"), (2, 2, "meta")])
def test_one_network_one_thread_or_an_accelerator_takes_them_in_turn(
    with_threads: Callable[[int], None], networks: int, threads: int, on: str
) -> None:
    with_threads(threads)
    with machine.side_by_side(networks, torch.device(on)) as each:
        assert each is map


def test_the_processes_of_a_run_take_their_networks_in_one_order(
    with_threads: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_threads(2)
    monkeypatch.setattr(machine.distributed, "world_size", lambda: 2)
    with machine.side_by_side(2, torch.device("cpu")) as each:
        assert each is map


def test_what_fails_for_one_network_is_raised(with_threads: Callable[[int], None]) -> None:
    with_threads(2)
    with pytest.raises(ZeroDivisionError), machine.side_by_side(2, torch.device("cpu")) as each:
        list(each(lambda number: 1 // number, [1, 0]))
