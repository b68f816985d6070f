"""Identifies visitors by a random identity that the server signs and the browser stores in a cookie.

The cookie is `identity.signature`; only the server has the key, so no client can choose an identity. A verified one is
in `request.state.visitor`, which is "" for a request without one; then the response sets a new cookie.

A browser drops a `SameSite=Lax` cookie inside another site's frame, as Hugging Face shows a Space. There, the cookie
is `SameSite=None; Secure; Partitioned`: one identity for each site that frames the page.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resnet_demo.errors import RunError
from resnet_demo.files import write_atomically

KEY_BYTES = 32
YEAR = 365 * 24 * 3600
COOKIE_TYPES = (
    "text/html",
    "application/json",
)  # responses that set a cookie: never a file, which a cache could serve to others


def signing_key(home: Path) -> bytes:
    """Read the key from the home folder; create one, readable by its owner only, if it is missing or damaged.

    Raises:
        RunError: the file cannot be read or written.
    """
    path = home / "visitors.key"
    try:
        if path.exists():
            key = path.read_bytes()
            if len(key) == KEY_BYTES:
                return key
        key = secrets.token_bytes(KEY_BYTES)
        write_atomically(path, key, mode=0o600)
        return key
    except OSError as error:
        raise RunError(
            f"The key of the visitors' cookies cannot be kept in {path} ({error.strerror}): make room there, or name a "
            "folder that can be written in RESNET_DEMO_HOME."
        ) from error


def identity_of(request: HTTPConnection) -> str:
    """The identity of the visitor who sent a request; empty if it brought no cookie of ours."""
    return str(getattr(request.state, "visitor", ""))


class VisitorCookie:
    """ASGI middleware that identifies each browser by a signed cookie, and sets one where it is missing.

    Args:
        app: the next middleware.
        key: signs the identities; a new key invalidates every cookie.
        is_framed: whether other sites always frame the page; by default, on a Hugging Face Space.
    """

    def __init__(self, app: ASGIApp, key: bytes, is_framed: bool | None = None) -> None:
        self._app = app
        self._key = key
        self._is_framed = bool(os.environ.keys() & {"SPACE_ID", "SPACE_HOST"}) if is_framed is None else is_framed
        # Cookies ignore the port: two apps on one machine must not overwrite each other's.
        self.name = f"resnet-lab-{self._sign('name')[:8]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store the identity in the scope; set a new cookie on the response if the request has none."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        identity = self._identity(headers)
        scope.setdefault("state", {})["visitor"] = identity

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                if answer.get("content-type", "").startswith(COOKIE_TYPES):
                    answer.append("set-cookie", self._new_cookie(scope, headers))
                    answer["cache-control"] = "no-store"
            await send(message)

        return await self._app(scope, receive, send if identity else send_with_cookie)

    def _identity(self, headers: Headers) -> str:
        """The identity in a request's cookie; empty if it is missing or its signature is not ours."""
        for cookie in headers.getlist("cookie"):
            for part in cookie.split(";"):
                name, _, value = part.strip().partition("=")
                identity, _, signature = value.partition(".")
                if name == self.name and identity and hmac.compare_digest(signature.encode(), self._sign(identity).encode()):
                    return identity
        return ""

    def _new_cookie(self, scope: Scope, headers: Headers) -> str:
        identity = secrets.token_urlsafe(16)
        attributes = f"Max-Age={YEAR}; Path=/; HttpOnly"
        is_https = "https" in (scope["scheme"], headers.get("x-forwarded-proto", "").split(",")[0].strip())
        is_in_frame = headers.get("sec-fetch-dest") == "iframe" and headers.get("sec-fetch-site") == "cross-site"
        where = "SameSite=None; Secure; Partitioned" if self._is_framed or (is_https and is_in_frame) else "SameSite=Lax"
        return f"{self.name}={identity}.{self._sign(identity)}; {attributes}; {where}"

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
