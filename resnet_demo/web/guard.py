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

from resnet_demo.errors import SettingError
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

EMBEDDED = re.compile(r"(view)=projector|(tab)=lab|(run)=[0-9a-f-]{1,40}|(__theme)=(?:light|dark)")
"""The fields of an address that opens the projector view. They are compared as they are sent, so that server and browser
cannot read one address in two ways."""

HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")

HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


@dataclass(frozen=True)
class Site:
    """The names under which this app is reachable.

    Args:
        names: host names, lower case; `*.example.org` stands for every name below example.org. IP addresses are always
            allowed, because DNS rebinding needs a name.
        frames: other sites that may show the page in a frame.
        frame_ancestors: other sites that may show the projector view in a frame, and nothing else.
        root: the path under which a proxy serves the page, without a slash at its end.
        is_behind_proxy: whether a proxy sets X-Forwarded-Host to the host name that the browser uses.
    """

    names: set[str] = field(default_factory=lambda: {"localhost"})
    frames: tuple[str, ...] = ()
    frame_ancestors: tuple[str, ...] = ()
    root: str = ""
    is_behind_proxy: bool = False

    def allows(self, authority: str) -> bool:
        """Whether the value of a Host header is a name of this app."""
        parts = split_authority(authority)
        if parts is None:
            return False
        name = parts[0]
        if address_of(name) is not None:
            return ("[" in name) == (":" in name)
        return name in self.names or any(_covers(pattern, name) for pattern in (*PUBLIC, *self.names))


def site_of(
    environment: Mapping[str, str],
    *,
    host: str | None = None,
    root_path: str | None = None,
    allowed: Iterable[str] = (),
    frame_ancestors: Iterable[str] = (),
) -> Site:
    """The names under which this process is reachable.

    Args:
        environment: the environment variables; a Space has SPACE_ID, and SPACE_HOST with its names.
        host: the address to listen on, if it is a name.
        root_path: the path or the URL under which a proxy serves the app.
        allowed: further names, from the operator.
        frame_ancestors: sites that may show the projector view in a frame, from the operator (`frame_ancestor`).
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
    root = urlsplit(root_path or "").path.rstrip("/")
    return Site(names, frames, tuple(frame_ancestors), root, is_behind_proxy=bool(root_path) or is_space)


def allowed_host(text: str) -> str:
    """The name of a host from the command line, in lower case.

    Raises:
        SettingError: it is neither a name such as lab.school.org nor a pattern such as *.school.org.
    """
    name = text.lower().removesuffix(".")
    if len(name) > 253 or not HOST.fullmatch(name):
        raise SettingError(
            f"{text!r:.80} is not the name of a host: say lab.school.org or *.school.org, without https:// or a path."
        )
    return name


def frame_ancestor(text: str) -> str:
    """The host of a site from the command line, which may have a port. Raises as `allowed_host` does."""
    name, colon, port = text.partition(":")
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65535):
        raise SettingError(f"{text!r:.80} has no port after the colon: say lms.school.org or lms.school.org:8443.")
    return allowed_host(name) + colon + port


def is_projector_view(query: bytes) -> bool:
    """Whether a query opens the projector view and nothing else. Nothing can be clicked there, so other sites may frame it.

    A query with any other field, a repeated field or a percent-encoded one does not.
    """
    matches = [EMBEDDED.fullmatch(field) for field in query.decode("latin-1").split("&")]
    names = [match[match.lastindex or 0] for match in matches if match]
    return len(names) == len(matches) == len(set(names)) and "view" in names


def split_authority(authority: str) -> tuple[str, int | None] | None:
    """The name in lower case without a trailing dot, and the port; None if the value is malformed."""
    match = AUTHORITY.fullmatch(authority.lower())
    if match is None or (match[3] and int(match[3]) > 65535):
        return None
    return match[1].removesuffix("."), int(match[3]) if match[3] else None


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that a host is, in the usual form, not 127.1, 0x7f000001 or 2130706433; None for a name."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


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
        self._headers = _headers(site.frames)
        self._headers_of_view = _headers((*site.frames, *site.frame_ancestors))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request or pass it on, with our headers on the response in both cases."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refusal = self.refusal(scope)
        if refusal is None:
            headers = self._headers_of_view if self._is_view(scope) else self._headers
            await self.app(scope, receive, _with_headers(send, headers))
        elif scope["type"] == "http":
            await refusal(scope, receive, _with_headers(send, self._headers))
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

    def _is_view(self, scope: Scope) -> bool:
        """Whether a request is for the page as the projector view."""
        is_page = scope["path"] in ("/", self.site.root, f"{self.site.root}/")
        return is_page and scope.get("method") in SAFE_METHODS and is_projector_view(scope.get("query_string", b""))


def _headers(ancestors: Iterable[str]) -> dict[str, str]:
    """The headers of a response that these sites, besides our own, may show in a frame."""
    sites = tuple(ancestors)
    own = {} if sites else {"X-Frame-Options": "SAMEORIGIN"}  # it cannot name other sites
    return {**HEADERS, "Content-Security-Policy": " ".join(("frame-ancestors 'self'", *sites)), **own}


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer = MutableHeaders(raw=list(message.get("headers", ())))
            for name in {name for name in answer if name.startswith("access-control-")}:
                del answer[name]  # Gradio allows every site to read its responses
            for name, value in headers.items():
                answer.append(name, value)
            message = {**message, "headers": answer.raw}
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
