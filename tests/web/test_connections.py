"""Connections whose client is idle, at a real server on this machine."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from resnet_demo.web.connections import ImpatientProtocol, end_idle_connections


class QuickProtocol(ImpatientProtocol):
    seconds_idle = 0.2


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(500 if scope["path"] == "/long" else 1):
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(application, log_level="error", lifespan="off", timeout_keep_alive=600))
        server.config.load()
        end_idle_connections(server)
        assert server.config.http_protocol_class is ImpatientProtocol
        server.config.http_protocol_class = QuickProtocol
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost: loc", b"POST / HTTP/1.1\r\n"])
def test_a_connection_without_a_whole_request_ends(address: tuple[str, int], head: bytes) -> None:
    with socket.create_connection(address, timeout=60) as client:
        client.sendall(head)
        assert client.recv(1) == b""


def test_a_connection_ends_after_its_answer(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=60) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while part := client.recv(1_000_000):
            answer += part
        assert answer.startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_takes_no_answer_is_left(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=60) as client:
        client.sendall(b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while True:  # the server is gone once nothing more can be sent to it
            try:
                client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            except OSError:
                break


def test_a_client_that_takes_a_long_answer_gets_all_of_it(address: tuple[str, int]) -> None:
    with urllib.request.urlopen(f"http://{address[0]}:{address[1]}/long", timeout=60) as answer:
        assert len(answer.read()) == 50_000_000
