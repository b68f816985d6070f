"""The visitor's cookie, with the ASGI layer alone."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from resnet_demo.errors import RunError
from resnet_demo.web.visitor import KEY_BYTES, VisitorCookie, signing_key
from tests.web.asgi import run

KEY = b"k" * KEY_BYTES
Answer = tuple[str, list[str], str]


def answer(
    *cookies: str,
    key: bytes = KEY,
    is_framed: bool | None = False,
    scheme: str = "http",
    content: str = "text/html",
    **headers: str,
) -> Answer:
    """The visitor that an app behind the layer is given, the cookies that its answer sets, and its cache-control."""
    sent: list[Message] = []
    visitors: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        visitors.append(scope["state"]["visitor"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content.encode())]})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    pairs = [("cookie", cookie) for cookie in cookies] + [(name.replace("_", "-"), value) for name, value in headers.items()]
    scope = {"type": "http", "scheme": scheme, "headers": [(name.encode(), value.encode("latin-1")) for name, value in pairs]}
    run(VisitorCookie(app, key, is_framed)(scope, receive, send))
    told = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    given = [value for name, value in told if name == "set-cookie"]
    return visitors[0], given, dict(told).get("cache-control", "")


def new_cookie(key: bytes = KEY) -> str:
    """`name=value` of a cookie that was just given."""
    return answer(key=key)[1][0].partition(";")[0]


def test_a_browser_without_a_cookie_is_nobody_and_is_given_one_that_makes_it_somebody() -> None:
    visitor, given, caching = answer()
    assert (visitor, len(given), caching) == ("", 1, "no-store")
    pair, *attributes = given[0].split("; ")
    assert attributes == ["Max-Age=31536000", "Path=/", "HttpOnly", "SameSite=Lax"]
    visitor, given, _ = answer(f"theme=dark; {pair}; other=1")
    assert (visitor, given) == (pair.partition("=")[2].partition(".")[0], [])
    assert len(visitor) >= 20
    assert answer("theme=dark", pair)[0] == visitor  # in HTTP/2, each cookie has a header of its own


def test_no_two_browsers_are_given_the_same_identity() -> None:
    assert len({new_cookie() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "forged",
    [
        "{name}=me.{signature}",  # another identity
        "{name}={identity}",
        "{name}={identity}.",
        "{name}=.{signature}",
        "{name}={identity}.{signature:.60}",
        "{name}={identity}.{signature}.{signature}",
        "{name}={identity}.\xe9\xff",
        "other={identity}.{signature}",
        ";;==;.=.",
    ],
)
def test_a_cookie_that_the_server_did_not_sign_makes_nobody(forged: str) -> None:
    name, identity, signature = re.split("[=.]", new_cookie())
    visitor, given, _ = answer(forged.format(name=name, identity=identity, signature=signature))
    assert (visitor, len(given)) == ("", 1)


def test_a_cookie_of_another_key_makes_nobody_and_has_another_name() -> None:
    cookie = new_cookie(key=b"x" * KEY_BYTES)
    assert answer(cookie)[0] == ""
    assert cookie.partition("=")[0] != new_cookie().partition("=")[0]  # two apps on one host do not overwrite each other's
    assert answer(cookie.replace(cookie.partition("=")[0], new_cookie().partition("=")[0]))[0] == ""


@pytest.mark.parametrize(
    ("scheme", "is_framed", "headers", "attributes"),
    [
        ("http", False, {}, "SameSite=Lax"),
        ("https", False, {}, "SameSite=Lax"),
        ("http", False, {"sec_fetch_dest": "iframe", "sec_fetch_site": "cross-site"}, "SameSite=Lax"),  # Secure would be lost
        ("https", False, {"sec_fetch_dest": "iframe", "sec_fetch_site": "same-origin"}, "SameSite=Lax"),
        ("https", False, {"sec_fetch_dest": "iframe", "sec_fetch_site": "cross-site"}, "SameSite=None; Secure; Partitioned"),
        (
            "http", False, {"sec_fetch_dest": "iframe", "sec_fetch_site": "cross-site", "x_forwarded_proto": "https, http"},
            "SameSite=None; Secure; Partitioned",
        ),
        ("http", True, {}, "SameSite=None; Secure; Partitioned"),
    ],
)  # fmt: skip
def test_inside_another_sites_frame_the_cookie_has_the_attributes_that_keep_it(
    scheme: str, is_framed: bool, headers: dict[str, str], attributes: str
) -> None:
    _, given, _ = answer(scheme=scheme, is_framed=is_framed, **headers)
    assert given[0].endswith(f"; HttpOnly; {attributes}")


def test_a_space_frames_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "user/space")
    assert answer(is_framed=None)[1][0].endswith("Partitioned")


def test_a_file_that_a_cache_may_keep_brings_no_cookie() -> None:
    for content in ("text/javascript", "image/png", "text/css", "application/zip"):
        assert answer(content=content)[1:] == ([], "")
    assert len(answer(content="application/json")[1]) == 1


def test_the_key_is_kept_for_its_owner_only_and_survives_a_restart(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    (file,) = tmp_path.iterdir()
    assert len(key) == KEY_BYTES and signing_key(tmp_path) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_bytes(key[:7])  # damaged
    assert signing_key(tmp_path) not in (key, key[:7])
    assert signing_key(tmp_path) == file.read_bytes()


def test_a_key_that_cannot_be_kept_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    with pytest.raises(RunError, match=r"The key of the visitors' cookies cannot be kept in .*: make room there"):
        signing_key(tmp_path / "home")
