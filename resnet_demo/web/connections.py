"""Closes idle connections: those that send no request or read no response. ASGI middleware sees only requests."""

from __future__ import annotations

import asyncio

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS_IDLE = 15.0
"""The longest time without a request or without reading the response; the connection closes within twice this time."""


class ImpatientProtocol(H11Protocol):
    """uvicorn's protocol, which closes connections whose client is idle."""

    seconds_idle = SECONDS_IDLE
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the class above
        """Start the checks of the connection."""
        super().connection_made(transport)
        self._check(last_request=self, last_unsent=0)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the checks."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _check(self, last_request: object, last_unsent: int) -> None:
        """Close the connection if the client has neither sent nor read anything since the last check.

        Args:
            last_request: the latest completed request at the last check; `self` if one was in progress.
            last_unsent: bytes of responses that the client had not read then.
        """
        is_answered = self.cycle is None or self.cycle.response_complete
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent == last_unsent:
            self.transport.abort()
        elif is_answered and self.cycle is last_request:
            self.transport.close()
        self._timer = self.loop.call_later(self.seconds_idle, self._check, self.cycle if is_answered else self, unsent)


def end_idle_connections(server: uvicorn.Server) -> None:
    """Make a server close idle connections. uvicorn reads the protocol class from its config for each new connection."""
    server.config.http_protocol_class = ImpatientProtocol
