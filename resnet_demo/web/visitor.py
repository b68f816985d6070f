"""Who sends a request: a random identity that the server signs and the browser keeps in a cookie.

The cookie is `identity.signature`; only the server has the key, so no caller chooses an identity. A verified one is
in `request.state.visitor`; it is "" where a request brought none, and then the answer gives the browser a cookie.

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
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resnet_demo.errors import RunError
from resnet_demo.files import write_atomically

KEY_BYTES = 32
YEAR = 365 * 24 * 3600
GIVEN_WITH = ("text/html", "application/json")  # answers that bring a cookie: never a file, which a cache may hand to others


def signing_key(home: Path) -> bytes:
    """The key in the home folder, readable for its owner only; a new one where there is none or a damaged one.

    Raises:
        RunError: it cannot be read or written.
    """
    path = home / "visitors.key"
    try:
        if path.exists() and len(key := path.read_bytes()) == KEY_BYTES:
            return key
        write_atomically(path, key := secrets.token_bytes(KEY_BYTES), mode=0o600)
        return key
    except OSError as error:
        raise RunError(
            f"The key of the visitors' cookies cannot be kept in {path} ({error.strerror}): make room there, or name a "
            "folder that can be written in RESNET_DEMO_HOME."
        ) from error


class VisitorCookie:
    """ASGI middleware that knows each browser by a signed cookie and gives one to whoever has none.

    Args:
        app: what answers the request.
        key: signs the identities; a new key makes every visitor a new one.
        is_framed: whether other sites always frame the page; by default, on a Hugging Face Space.
    """

    def __init__(self, app: ASGIApp, key: bytes, is_framed: bool | None = None) -> None:
        self._app = app
        self._key = key
        self._is_framed = bool(os.environ.keys() & {"SPACE_ID", "SPACE_HOST"}) if is_framed is None else is_framed
        # Cookies ignore the port: two apps on one machine must not overwrite each other's.
        self.name = f"resnet-lab-{self._sign('name')[:8]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the identity into the scope, and a new cookie onto the answer if there is none."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        identity = self._identity(headers)
        scope.setdefault("state", {})["visitor"] = identity

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                if answer.get("content-type", "").startswith(GIVEN_WITH):
                    answer.append("set-cookie", self._new_cookie(scope, headers))
                    answer["cache-control"] = "no-store"
            await send(message)

        return await self._app(scope, receive, send if identity else send_with_cookie)

    def _identity(self, headers: Headers) -> str:
        """The identity in a request's cookie; empty where there is none, or one that was not signed here."""
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
