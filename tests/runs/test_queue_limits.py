"""How many runs one visitor and one network address may put into the queue."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.config import RunConfig
from resnet_demo.errors import SettingError
from resnet_demo.runs.queue import LONGEST_QUEUE
from resnet_demo.runs.queue_limits import RUNS_OF_ADDRESS, RUNS_OF_VISITOR, WAITING_OF_ADDRESS, Limits, network_of
from tests.clock import Clock
from tests.runs.stand_in import Opened
from tests.tiny import tiny_run


@pytest.fixture
def config(picture_folder: Path) -> RunConfig:
    return tiny_run(picture_folder)


def test_a_visitor_who_started_enough_runs_is_told_when_to_come_back() -> None:
    clock = Clock()
    limits = Limits(clock)
    for number in range(RUNS_OF_VISITOR):
        clock.seconds = 60.0 * number
        limits.check("a", "10.0.0.1", [])
        limits.add(f"run {number}", "a", "10.0.0.1")
    clock.seconds = 1830
    with pytest.raises(SettingError, match=r"You have started 30 runs within an hour.*try again in 30 minutes"):
        limits.check("a", "10.0.0.2", [])
    limits.check("b", "10.0.0.1", [])
    clock.seconds = 3600  # the first of them is an hour ago
    limits.check("a", "10.0.0.1", [])


def test_an_address_has_its_limit_whatever_cookies_come_from_it() -> None:
    limits = Limits(Clock())
    for number in range(RUNS_OF_ADDRESS):
        limits.add(f"run {number}", f"visitor {number}", "10.0.0.1")
    with pytest.raises(SettingError, match=r"Visitors at your network address have started 300 runs.*in 60 minutes"):
        limits.check("another", "10.0.0.1", [])
    limits.check("another", "10.0.0.2", [])


def test_runs_that_wait_count_for_their_address_as_long_as_they_wait() -> None:
    clock = Clock()
    limits = Limits(clock)
    runs = [f"run {number}" for number in range(WAITING_OF_ADDRESS)]
    for run in runs:
        limits.add(run, run, "10.0.0.1")
    clock.seconds = 100_000
    with pytest.raises(SettingError, match="30 runs from your network address are waiting already"):
        limits.check("another", "10.0.0.1", runs)
    limits.check("another", "10.0.0.2", runs)
    limits.check("another", "10.0.0.1", runs[1:])


def test_a_class_of_thirty_behind_one_router_fits_and_leaves_places_to_others(opened: Opened, config: RunConfig) -> None:
    lab = opened.lab
    opened.worker.ready()
    for phone in range(1 + WAITING_OF_ADDRESS):  # one trains
        lab.submit(config, f"phone {phone}", address="203.0.113.7")
    with pytest.raises(SettingError, match="your network address"):
        lab.submit(config, "one more", address="203.0.113.7")
    for other in range(LONGEST_QUEUE - WAITING_OF_ADDRESS):
        lab.submit(config, f"other {other}", address=f"198.51.100.{other}")
    with pytest.raises(SettingError, match=r"40 runs are waiting already: try again later, when the next one begins"):
        lab.submit(config, "anybody", address="192.0.2.1")
    with pytest.raises(SettingError, match="40 runs are waiting already"):  # the teacher stops one first
        lab.submit(config, "anybody", "teacher", address="192.0.2.1")


def test_paused_runs_are_no_way_past_the_limit_of_an_address(opened: Opened, config: RunConfig) -> None:
    lab = opened.lab
    runs = []
    for number in range(WAITING_OF_ADDRESS + 1):
        runs.append(lab.submit(config, f"visitor {number}", address="10.0.0.1"))
        lab.pause(runs[-1], f"visitor {number}")
    for number in range(WAITING_OF_ADDRESS):
        lab.resume(runs[number], f"visitor {number}", address="10.0.0.1")
    with pytest.raises(SettingError, match="your network address"):
        lab.resume(runs[-1], f"visitor {WAITING_OF_ADDRESS}", address="10.0.0.1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("a unix socket", "a unix socket"),
    ],
)
def test_an_ipv6_customer_has_one_network_of_many_addresses(address: str, network: str) -> None:
    assert network_of(address) == network
