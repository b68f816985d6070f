"""Where phones reach the app: its addresses on the network, and the page /join with a QR code of each."""

from __future__ import annotations

import html
import ipaddress
import socket
from collections.abc import Sequence

import psutil
import segno
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from resnet_demo.web.guard import address_of

UNROUTED = ("192.0.2.1", 9)
"""An address that is nobody's (RFC 5737); a UDP socket that is connected to it sends nothing, and has the address of its route."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Join ResNet Lab</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ margin: 4vh auto; max-width: 60rem; padding: 0 1.5rem; font: 1.25rem/1.5 system-ui, sans-serif; }}
  figure {{ margin: 2rem 0; }}
  figcaption {{ font-size: clamp(1.2rem, 4vw, 2.6rem); overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }}
  svg {{ width: min(100%, 22rem); height: auto; display: block; background: #fff; }}
</style></head><body><h1>Join ResNet Lab</h1>{body}</body></html>"""
CLOSED = (
    "<p>This app can be reached from this machine only. For a class, start it with "
    "<code>python app.py --host 0.0.0.0</code>: this page then shows the address for phones.</p>"
)
CHOICE = "<p>Several networks lead to this machine. Phones need the address of the network that they are in; try the first one first.</p>"


def network_addresses() -> list[str]:
    """The IPv4 addresses of this machine on its networks; that of the route to other networks first."""
    addresses = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(UNROUTED)
            addresses.append(probe.getsockname()[0])
        except OSError:  # there is no route
            pass
    for interface in psutil.net_if_addrs().values():
        addresses += [address.address for address in interface if address.family == socket.AF_INET]
    return [address for address in dict.fromkeys(addresses) if not ipaddress.ip_address(address).is_loopback]


def reachable_hosts(host: str) -> list[str]:
    """The hosts under which other machines reach an app that listens on `host`, or that a browser here opened as `host`.

    For a wildcard address, all addresses of this machine; for a loopback address, none; otherwise the host itself.
    """
    address = address_of(host)
    if address is None:
        return [] if host in ("", "localhost") else [host]
    if address.is_unspecified:
        return network_addresses()
    return [] if address.is_loopback else [f"[{address}]" if address.version == 6 else str(address)]


def join_page(links: Sequence[str]) -> str:
    """The page /join.

    Args:
        links: where phones reach the app; none if they do not.
    """
    if not links:
        return PAGE.format(body=CLOSED)
    codes = ((link, segno.make_qr(link, error="m").svg_inline(omitsize=True, light="white")) for link in links)
    figures = "".join(f"<figure>{code}<figcaption>{html.escape(link)}</figcaption></figure>" for link, code in codes)
    return PAGE.format(body=("" if len(links) == 1 else CHOICE) + figures)


def links_for(request: Request, listens_on: str) -> list[str]:
    """Where phones reach the app: where the request did, if others can; else where the app listens.

    Args:
        request: for the page.
        listens_on: the host that the app was started with.
    """
    base = request.base_url
    hosts = reachable_hosts(base.hostname or "") or reachable_hosts(listens_on)
    return [str(base.replace(hostname=host)) for host in hosts]


def add_join(app: Starlette, listens_on: str, port: int) -> None:
    """Add the route /join to the served app, and print where phones reach it.

    Args:
        app: the served app.
        listens_on: the host that it was started with.
        port: on which it listens.
    """
    for host in reachable_hosts(listens_on):
        print(f"For phones on this network: http://{host}:{port}/", flush=True)  # noqa: T201 - for whoever started it

    async def join(request: Request) -> Response:
        return HTMLResponse(join_page(links_for(request, listens_on)))

    app.add_route("/join", join, ["GET"])
