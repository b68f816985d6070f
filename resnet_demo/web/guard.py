"""Checks the Host, the Origin and the path of every request, and sets the security headers of every response.

A page of another site can make a visitor's browser call this app in two ways. With DNS rebinding, the other site's name
points to this machine: then Host is that name, which is not one of ours. With a cross-site request, the browser sets
Origin to the other site. SECURITY.md states the rules for operators.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resnet_demo.web.sentences import Refusal

PUBLIC = ("*.hf.space", "*.gradio.live")  # only their owners control the DNS of these names
SAFE_METHODS = ("GET", "HEAD")
DEFAULT_PORTS = {"http": 80, "https": 443}
AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]{0,252}))(?::([0-9]{1,5}))?")

CLOSED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/proxy=|/file[=/]\s*https?:", re.IGNORECASE), "This app fetches nothing from other addresses."),
    (
        re.compile(r"/(process_recording|deep_link|(undo-)?vibe-[a-z-]+)/?$"),
        "This app does not offer this call. The page lists its calls under 'Use via API'.",
    ),
)
"""Gradio endpoints that this app does not need: proxies to other hosts, video conversion, writing files on the server."""

HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


@dataclass(frozen=True)
class Site:
    """The names under which this app is reachable.

    Args:
        names: host names, lower case; `*.example.org` stands for every name below example.org. IP addresses are always
            allowed, because DNS rebinding needs a name.
        frames: other sites that may show the page in a frame.
        is_behind_proxy: whether a proxy sets X-Forwarded-Host to the host name that the browser uses.
    """

    names: set[str] = field(default_factory=lambda: {"localhost"})
    frames: tuple[str, ...] = ()
    is_behind_proxy: bool = False

    def allows(self, authority: str) -> bool:
        """Whether the value of a Host header is a name of this app."""
        parts = split_authority(authority)
        if parts is None:
            return False
        name = parts[0]
        return is_address(name) or name in self.names or any(_covers(pattern, name) for pattern in (*PUBLIC, *self.names))


def site_of(
    environment: Mapping[str, str], *, host: str | None = None, root_path: str | None = None, allowed: Iterable[str] = ()
) -> Site:
    """The names under which this process is reachable.

    Args:
        environment: the environment variables; a Space has SPACE_ID, and SPACE_HOST with its names.
        host: the address to listen on, if it is a name.
        root_path: the path or the URL under which a proxy serves the app.
        allowed: further names, from the operator.
    """
    machine = socket.gethostname().lower()
    names = {"localhost", machine, f"{machine.partition('.')[0]}.local", *(name.lower().rstrip(".") for name in allowed)}
    names |= {name.strip().lower() for name in environment.get("SPACE_HOST", "").split(",")}
    names |= {(host or "").lower(), urlsplit(root_path or "").hostname or ""}
    names.discard("")
    # getfqdn() queries DNS, which can take seconds.
    threading.Thread(target=lambda: names.add(socket.getfqdn().lower()), name="own name", daemon=True).start()
    is_space = "SPACE_ID" in environment
    frames = ("https://huggingface.co", "https://*.hf.space") if is_space else ()
    return Site(names, frames, is_behind_proxy=bool(root_path) or is_space)


def split_authority(authority: str) -> tuple[str, int | None] | None:
    """The name in lower case without a trailing dot, and the port; None if the value is malformed."""
    match = AUTHORITY.fullmatch(authority.lower())
    if match is None or (match[3] and int(match[3]) > 65535):
        return None
    return match[1].removesuffix("."), int(match[3]) if match[3] else None


def is_address(name: str) -> bool:
    """Whether a host is an IP address, in the usual form: not 127.1, 0x7f000001 or 2130706433."""
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return ("[" in name) == (":" in name)


def is_same_site(origin: str, authority: str) -> bool:
    """Whether an Origin header names the host and port that the request was sent to."""
    scheme, _, authority_of_page = origin.partition("://")
    page, own = split_authority(authority_of_page), split_authority(authority)
    if scheme not in DEFAULT_PORTS or page is None or own is None:
        return False
    default = DEFAULT_PORTS[scheme]
    return (page[0], page[1] or default) == (own[0], own[1] or default)


class Guard:
    """The outermost ASGI middleware."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app = app
        self.site = site
        ancestors = " ".join(("'self'", *site.frames))
        self._headers = {**HEADERS, "Content-Security-Policy": f"frame-ancestors {ancestors}"}
        if not site.frames:
            self._headers["X-Frame-Options"] = "SAMEORIGIN"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request or pass it on, with our headers on the response in both cases."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refusal = self.refusal(scope)
        if refusal is None:
            await self.app(scope, receive, self._with_headers(send))
        elif scope["type"] == "http":
            await refusal(scope, receive, self._with_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    def refusal(self, scope: Scope) -> Refusal | None:
        """The response to a request that is not allowed; None if it is allowed."""
        headers = Headers(scope=scope)
        hosts, path = headers.getlist("host"), str(scope["path"])
        forwarded = headers.get("x-forwarded-host")
        public_host = None if forwarded is None else forwarded.partition(",")[0].strip()
        names = [*hosts, *([] if public_host is None else [public_host])]
        if len(hosts) != 1 or not path.startswith("/") or not all(self.site.allows(name) for name in names):
            return Refusal(421, _unknown_host(names), scope)
        if scope.get("method", "GET") not in SAFE_METHODS or scope["type"] == "websocket":
            own = [*hosts, *([public_host] if public_host and self.site.is_behind_proxy else [])]
            if _is_foreign(headers, own):
                return Refusal(403, "This request was made by a page of another site. Open the app's own page.", scope)
        for pattern, sentence in CLOSED:
            if pattern.search(path):
                return Refusal(403, sentence, scope)
        return None

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                for name in {name for name in headers if name.startswith("access-control-")}:
                    del headers[name]  # Gradio allows every site to read its responses
                for name, value in self._headers.items():
                    headers.append(name, value)
                message = {**message, "headers": headers.raw}
            await send(message)

        return send_with_headers


def _covers(pattern: str, name: str) -> bool:
    return pattern.startswith("*.") and name.endswith(pattern[1:]) and len(name) >= len(pattern)


def _is_foreign(headers: Headers, own: list[str]) -> bool:
    """Whether the headers show that a page of another site sent the request. Scripts send neither header and are allowed."""
    origins = headers.getlist("origin")
    if not origins:
        return headers.get("sec-fetch-site", "none") in ("cross-site", "same-site")
    return len(origins) > 1 or not any(is_same_site(origins[0], authority) for authority in own)


def _unknown_host(names: list[str]) -> str:
    if not names:
        return "The request names no host. Use the address that the app printed when it started."
    return (
        f"This app is not at {', '.join(names)[:100]!r}. Use the address that it printed when it started, or start it with "
        "--allowed-host and this name."
    )
