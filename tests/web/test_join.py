"""Where phones reach the app."""

from __future__ import annotations

import ipaddress

import pytest
import segno
from starlette.applications import Starlette
from starlette.testclient import TestClient

from resnet_demo.web import join
from resnet_demo.web.join import add_join, join_page, network_addresses, reachable_hosts


def page(listens_on: str, asked: str) -> str:
    app = Starlette()
    add_join(app, listens_on, 7861)
    return TestClient(app, base_url=asked).get("/join").text


def test_the_addresses_are_those_that_other_machines_can_call() -> None:
    addresses = network_addresses()
    assert len(set(addresses)) == len(addresses)
    assert all(not ipaddress.ip_address(address).is_loopback for address in addresses)


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        *((host, []) for host in ("localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "")),
        *((host, ["192.168.1.5", "10.0.0.7"]) for host in ("0.0.0.0", "::", "[::]")),
        *((host, [host]) for host in ("192.168.1.5", "lab.school.org")),
        ("2001:db8::5", ["[2001:db8::5]"]),
    ],
)
def test_other_machines_reach_what_listens_on_a_host(host: str, hosts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "network_addresses", lambda: ["192.168.1.5", "10.0.0.7"])
    assert reachable_hosts(host) == hosts


def test_an_app_that_listens_on_one_address_names_that_one_only(capsys: pytest.CaptureFixture[str]) -> None:
    text = page("192.168.1.5", "http://localhost:7861")
    assert capsys.readouterr().out == "For phones on this network: http://192.168.1.5:7861/\n"
    assert text.count("<svg") == 1 and "http://192.168.1.5:7861/" in text


def test_an_app_for_this_machine_alone_says_how_to_open_it() -> None:
    for listens_on in ("127.0.0.1", "localhost", ""):
        assert "--host 0.0.0.0" in page(listens_on, "http://127.0.0.1:7860")


def test_an_app_for_all_shows_each_address_with_its_port_and_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "network_addresses", lambda: ["192.168.1.5", "10.0.0.7"])
    text = page("0.0.0.0", "http://localhost:7861")
    assert text.index("http://192.168.1.5:7861/") < text.index("http://10.0.0.7:7861/")
    assert text.count("<svg") == 2 and "Several networks" in text
    assert segno.make_qr("http://10.0.0.7:7861/", error="m").svg_inline(omitsize=True, light="white") in text


def test_behind_a_proxy_or_a_tunnel_it_is_the_address_of_the_request() -> None:
    text = page("127.0.0.1", "https://abc.gradio.live")
    assert "https://abc.gradio.live/" in text and text.count("<svg") == 1


def test_no_address_is_markup() -> None:
    assert "<b>" not in join_page(["http://x/<b>"])
