"""How many others watch a run."""

from __future__ import annotations

from resnet_demo.runs import audience
from resnet_demo.runs.audience import SECONDS, Audience
from tests.clock import Clock


def test_others_count_while_their_pages_ask() -> None:
    clock = Clock()
    watchers = Audience(clock)
    assert watchers.see("a", "anna") == 0
    assert watchers.see("a", "ben") == 1
    assert watchers.see("b", "cleo") == 0
    assert watchers.see("a", "") == 2  # who has no cookie is not counted, and sees the others
    assert watchers.see("a", "anna") == 1
    clock.seconds = SECONDS
    assert watchers.see("a", "anna") == 1
    clock.seconds = SECONDS + 1
    assert watchers.see("a", "anna") == 0


def test_invented_cookies_take_no_memory() -> None:
    watchers = Audience(Clock())
    for number in range(audience.MOST + 100):
        count = watchers.see("a", f"visitor {number}")
    assert count == audience.MOST - 1
