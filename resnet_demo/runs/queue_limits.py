"""The number of runs that one visitor and one network address may put into the queue. No torch here.

A visitor is a browser (web/visitor.py). Anyone can collect cookies, so there are limits for a network address as well, loose
enough for a class of thirty phones behind one router:

    a visitor    1 run that waits    30 runs an hour
    an address  30 runs that wait   300 runs an hour
    everybody   40 runs that wait (queue.py): one address always leaves ten places to the others

The teacher's token lifts all limits but the last. Addresses stay in memory, for an hour or as long as the run waits.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Collection
from math import ceil
from typing import NamedTuple

from resnet_demo.errors import SettingError

HOUR = 3600.0
RUNS_OF_VISITOR = 30
RUNS_OF_ADDRESS = 300
WAITING_OF_ADDRESS = 30


class Entry(NamedTuple):
    """A run that was put into the queue."""

    time: float
    run_id: str
    visitor: str
    network: str


class Limits:
    """Counts the runs of the last hour and those that wait. Not safe to change from two threads: its owner has a lock.

    Args:
        clock: returns seconds, which never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: list[Entry] = []

    def add(self, run_id: str, visitor: str, address: str) -> None:
        """Count a run that was put into the queue."""
        self._entries.append(Entry(self._clock(), run_id, visitor, network_of(address)))

    def check(self, visitor: str, address: str, waiting: Collection[str]) -> None:
        """Check that another run stays within the limits.

        Args:
            visitor: who starts a run, in the form that `add` takes.
            address: the network address of the request.
            waiting: the ids of the runs that wait.

        Raises:
            SettingError: a limit is reached; the sentence says which one and when to come back.
        """
        now, network = self._clock(), network_of(address)
        self._entries = [entry for entry in self._entries if entry.time > now - HOUR or entry.run_id in waiting]
        same_network = [entry for entry in self._entries if entry.network == network]
        if len({entry.run_id for entry in same_network} & set(waiting)) >= WAITING_OF_ADDRESS:
            raise SettingError(
                f"{WAITING_OF_ADDRESS} runs from your network address are waiting already, the most that one address may "
                "have: try again when one of them has begun."
            )
        same_visitor = [entry for entry in self._entries if entry.visitor == visitor]
        for entries, most, subject in (
            (same_visitor, RUNS_OF_VISITOR, "You"),
            (same_network, RUNS_OF_ADDRESS, "Visitors at your network address"),
        ):
            recent = [entry.time for entry in entries if entry.time > now - HOUR]
            if len(recent) >= most:
                minutes = ceil((recent[-most] + HOUR - now) / 60)
                raise SettingError(
                    f"{subject} have started {most} runs within an hour, the most that is allowed: try again in "
                    f"{minutes} {'minute' if minutes == 1 else 'minutes'}, or give the teacher's token."
                )


def network_of(address: str) -> str:
    """The network of one internet customer: an IPv4 address, or the first half of an IPv6 address; other texts as they are."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
