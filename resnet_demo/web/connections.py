"""Connections that say nothing, or take nothing, end. A layer cannot see them: it sees requests."""

from __future__ import annotations

import asyncio

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS_IDLE = 15.0
"""How long a connection may bring no request, or take nothing of an answer; up to twice as long until that is noticed."""


class ImpatientProtocol(H11Protocol):
    """uvicorn's protocol, which closes connections whose client is idle."""

    seconds_idle = SECONDS_IDLE
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the class above
        """Start to look at the connection."""
        super().connection_made(transport)
        self._look(last_request=self, last_unsent=0)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _look(self, last_request: object, last_unsent: int) -> None:
        """Close the connection where nothing has happened since the last look and it is the client's turn.

        Args:
            last_request: the one that was answered last, at the last look; `self` where one was being answered.
            last_unsent: bytes of answers that the client had not taken then.
        """
        is_answered = self.cycle is None or self.cycle.response_complete
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent == last_unsent:
            self.transport.abort()
        elif is_answered and self.cycle is last_request:
            self.transport.close()
        self._timer = self.loop.call_later(self.seconds_idle, self._look, self.cycle if is_answered else self, unsent)


def end_idle_connections(server: uvicorn.Server) -> None:
    """Let a server end idle connections; it asks its settings for each new connection."""
    server.config.http_protocol_class = ImpatientProtocol
