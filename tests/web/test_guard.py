"""Which requests are let in, by scopes alone."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from resnet_demo.errors import SettingError
from resnet_demo.web.guard import Guard, Site, allowed_host, frame_ancestor, is_projector_view, site_of
from tests.web.asgi import Answer, answering, ask, http, run

LOCAL = Site()
MACHINE = socket.gethostname().lower().partition(".")[0]


def get(*headers: tuple[str, str], site: Site = LOCAL, method: str = "GET", path: str = "/") -> Answer:
    return ask(Guard(answering(b"in"), site), http(method, path, headers))


def post(*headers: tuple[str, str], site: Site = LOCAL) -> int:
    return get(*headers, site=site, method="POST").status


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:7860", "LOCALHOST:7860", "localhost.", "localhost.:7860",
        "127.0.0.1:7860", "192.168.1.20:7860", "[::1]:7860", "[::1]", "[FE80::1]:7860", "[::ffff:127.0.0.1]",
        "someone-resnet-lab.hf.space", "0123abcd.gradio.live", "0123ABCD.Gradio.Live:443",
    ],
)  # fmt: skip
def test_the_apps_own_names_are_let_in(host: str) -> None:
    assert get(("host", host)).text == "in"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:7860", "localhost.evil.example", "evil-localhost", "127.0.0.1.evil.example",
        "hf.space", ".hf.space", "hf.space.evil.example", "evilhf.space", "gradio.live.", "x.gradio.live.evil.example",
        "", " ", ":7860", "localhost:", "localhost:0x1f", "localhost:99999", "localhost:7860:7860", "localhost..",
        "user@localhost", "localhost@evil.example", "localhost/evil", "localhost evil", "localhost,evil.example", "lócalhost",
        "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.1.5", "::1", "[::1", "[::1]x", "[127.0.0.1]",
        "[::1%25eth0]", "[evil.example]", "*.hf.space", "http://localhost",
    ],
)  # fmt: skip
def test_every_other_host_is_misdirected(host: str) -> None:
    answer = get(("host", host))
    assert answer.status == 421
    assert "Use the address" in answer.text


def test_no_host_and_two_hosts_are_misdirected() -> None:
    assert get().status == 421
    assert get(("host", "localhost"), ("host", "localhost")).status == 421
    assert get(("host", "localhost"), ("host", "evil.example")).status == 421


@pytest.mark.parametrize("path", ["http://evil.example/", "http://localhost/", "evil.example", "*", ""])
def test_an_absolute_uri_is_misdirected_whatever_host_says(path: str) -> None:
    assert get(("host", "localhost"), path=path).status == 421


def test_the_machine_is_called_by_its_own_names_and_by_those_that_the_operator_gives() -> None:
    site = site_of(
        {}, host="lab-pc", root_path="https://proxy.school.org/lab", allowed=["Lab.School.org.", "*.class.school.org"]
    )
    for name in (MACHINE, f"{MACHINE}.local", "lab-pc", "lab.school.org", "a.class.school.org", "proxy.school.org"):
        assert get(("host", f"{name}:7860"), site=site).status == 200, name
    for name in ("school.org", "class.school.org", "a.lab.school.org", "other.local"):
        assert get(("host", name), site=site).status == 421, name


def test_a_space_is_called_by_its_names() -> None:
    site = site_of({"SPACE_ID": "someone/lab", "SPACE_HOST": "someone-lab.hf.space,lab.example.org"})
    assert get(("host", "someone-lab.hf.space"), site=site).status == 200
    assert get(("host", "lab.example.org"), site=site).status == 200
    assert get(("host", "10.0.0.7:7860"), site=site).status == 200  # Hugging Face's own look whether it is up


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example", "null", "", "http://localhost:3000", "http://127.0.0.1:7860", "http://localhost:7860.evil.example",
        "http://localhost:7860@evil.example", "http://localhost:7860/", "file://", "localhost:7860", "ftp://localhost:7860",
        "http://localhost:7860 http://evil.example", "http://[::1", "https://localhost", "http://evil.localhost:7860",
    ],
)  # fmt: skip
def test_a_page_of_another_site_changes_nothing(method: str, origin: str) -> None:
    answer = get(("host", "localhost:7860"), ("origin", origin), method=method)
    assert answer.status == 403
    assert "a page of another site" in answer.text


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:7860", "http://localhost:7860"), ("LOCALHOST:7860", "http://localhost:7860"), ("localhost", "http://localhost"),
        ("localhost", "http://localhost:80"), ("[::1]:7860", "http://[::1]:7860"), ("192.168.1.20:7860", "http://192.168.1.20:7860"),
        ("abc.gradio.live", "https://abc.gradio.live"), ("abc.gradio.live:443", "https://abc.gradio.live"),
        ("someone-lab.hf.space", "https://someone-lab.hf.space"),
    ],
)  # fmt: skip
def test_the_apps_own_page_changes_things(host: str, origin: str) -> None:
    assert post(("host", host), ("origin", origin)) == 200


def test_two_origins_are_foreign() -> None:
    assert post(("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://localhost")) == 403


def test_a_script_needs_no_origin_and_a_browser_that_sends_none_says_whose_page_it_is() -> None:
    assert post(("host", "localhost")) == 200
    assert post(("host", "localhost"), ("sec-fetch-site", "same-origin")) == 200
    assert post(("host", "localhost"), ("sec-fetch-site", "cross-site")) == 403


def test_the_host_that_a_proxy_forwards_counts_only_behind_a_proxy_of_the_operators() -> None:
    headers = (("host", "127.0.0.1:7860"), ("x-forwarded-host", "lab.school.org, inner"), ("origin", "https://lab.school.org"))
    assert post(*headers, site=site_of({}, root_path="/lab", allowed=["lab.school.org"])) == 200
    assert post(*headers, site=site_of({}, allowed=["lab.school.org"])) == 403
    assert post(*headers, site=site_of({}, root_path="/lab")) == 421  # else a rebound name would pass through the proxy
    assert post(*headers, site=site_of({}, root_path="https://lab.school.org/lab")) == 200


def test_a_proxy_that_keeps_host_works_under_a_path() -> None:
    site = site_of({}, root_path="/lab", allowed=["lab.school.org"])
    assert post(("host", "lab.school.org"), ("origin", "https://lab.school.org"), site=site) == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://127.0.0.1/", "/gradio_api/file=HTTPS://evil.example/", "/gradio_api/file/http://127.0.0.1/",
        "/gradio_api/file=https:/evil.example", "/gradio_api/file= http://evil.example", "/lab/gradio_api/file=http://evil.example/",
        "/gradio_api/proxy=https://x.hf.space/", "/gradio_api/proxy=",
        "/gradio_api/process_recording", "/gradio_api/deep_link", "/gradio_api/vibe-edit/",
    ],
)  # fmt: skip
def test_doors_that_the_app_has_no_use_for_are_closed(path: str) -> None:
    answer = get(("host", "localhost"), path=path)
    assert answer.status == 403
    assert answer.text.startswith(('{"error": "This app fetches nothing', '{"error": "This app does not offer'))


def test_an_uploaded_file_is_still_served() -> None:
    assert get(("host", "localhost"), path="/gradio_api/file=/tmp/gradio/abc/http-picture.png").status == 200


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_every_answer_has_our_headers_and_lets_no_other_site_read(host: str) -> None:
    echo = {"access-control-allow-origin": "http://evil.example", "access-control-allow-credentials": "true", "etag": "x"}
    headers = [("host", host), ("origin", "http://evil.example")]
    answer = ask(Guard(answering(b"in", headers=echo), LOCAL), http(headers=headers))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert ("etag" in answer.headers) == (host == "localhost")


def test_only_a_space_may_be_framed_and_only_by_hugging_face() -> None:
    here = get(("host", "localhost")).headers
    assert here["content-security-policy"] == "frame-ancestors 'self'"
    assert here["x-frame-options"] == "SAMEORIGIN"
    space = get(("host", "localhost"), site=site_of({"SPACE_ID": "someone/lab"})).headers
    assert space["content-security-policy"] == "frame-ancestors 'self' https://huggingface.co https://*.hf.space"
    assert "x-frame-options" not in space


OURS = "frame-ancestors 'self'"
THEIRS = "frame-ancestors 'self' lms.school.org *.uni.example:8443"


def ancestors(query: bytes, *, path: str = "/", host: str = "localhost", method: str = "GET", **around: Any) -> str:
    """Who may frame an answer, where the operator named two sites."""
    site = site_of({}, frame_ancestors=["lms.school.org", "*.uni.example:8443"], **around)
    scope = http(method, path, [("host", host)]) | {"query_string": query}
    headers = ask(Guard(answering(b"in"), site), scope).headers
    policy = headers["content-security-policy"]
    assert headers.getlist("content-security-policy") == [policy]
    assert headers.getlist("x-frame-options") == (["SAMEORIGIN"] if policy == OURS else [])  # it would overrule the policy
    return policy


@pytest.mark.parametrize(
    "query",
    [
        b"view=projector", b"tab=lab&view=projector", b"view=projector&run=20260131-235959-3f9c01&tab=lab",
        b"__theme=dark&view=projector",
    ],
)  # fmt: skip
def test_the_sites_that_the_operator_names_may_frame_the_projector_view(query: bytes) -> None:
    assert ancestors(query) == THEIRS
    assert ancestors(query, path="/lab/", root_path="https://proxy.school.org/lab/") == THEIRS
    assert ancestors(query, path="/lab/") == OURS  # without a proxy, that is not the page


@pytest.mark.parametrize(
    "query",
    [
        b"", b"view=", b"view=api", b"view=projector&view=projector", b"view=projector&view=", b"view=projector&tab=transfer",
        b"view=projector&tab=lab&tab=transfer", b"tab=transfer&view=projector&tab=lab", b"view=projector;tab=transfer",
        b"view=projector&t%61b=transfer", b"view=projector&settings=%7B%7D", b"view=projector&lesson=1", b"view=projector&",
        b"view%3Dprojector", b"view=%70rojector", b"VIEW=projector", b"view=projector&run=%22", b"run=1&tab=lab", b"x=&view=projector",
        b"view=projector&run=" + b"1" * 41, b"view=projector\xff", b"view=projector\n", b"&" * 5000,
    ],
)  # fmt: skip
def test_they_may_frame_nothing_else_however_its_address_is_written(query: bytes) -> None:
    assert ancestors(query) == OURS
    assert not is_projector_view(query)


def test_they_may_frame_no_other_address_of_the_app_and_no_refusal() -> None:
    for path in ("/join", "/runs/x", "/gradio_api/file=x", "//", "/view=projector", "/lab"):
        assert ancestors(b"view=projector", path=path) == OURS, path
    for host in ("evil.example", "lms.school.org", "localhost.evil.example", ""):
        assert ancestors(b"view=projector", host=host) == OURS, host
    assert ancestors(b"view=projector", method="POST") == OURS


def test_a_site_that_may_frame_the_view_may_send_nothing() -> None:
    site = site_of({}, frame_ancestors=["lms.school.org"])
    assert post(("host", "localhost:7860"), ("origin", "https://lms.school.org"), site=site) == 403
    assert post(("host", "lms.school.org"), site=site) == 421


def test_a_space_keeps_hugging_face_beside_them() -> None:
    site = site_of({"SPACE_ID": "someone/lab"}, frame_ancestors=["lms.school.org"])
    scope = http(headers=[("host", "localhost")]) | {"query_string": b"view=projector"}
    policy = ask(Guard(answering(b"in"), site), scope).headers["content-security-policy"]
    assert policy == "frame-ancestors 'self' https://huggingface.co https://*.hf.space lms.school.org"


def test_hosts_from_the_command_line_are_names_and_nothing_that_a_header_could_be_made_of() -> None:
    assert [allowed_host(name) for name in ("Lab.School.org.", "*.school.org", "lab_1", "10.0.0.7")] == [
        "lab.school.org", "*.school.org", "lab_1", "10.0.0.7",
    ]  # fmt: skip
    assert [frame_ancestor(name) for name in ("LMS.school.org", "lms.school.org:8443", "*.uni.example")] == [
        "lms.school.org", "lms.school.org:8443", "*.uni.example",
    ]  # fmt: skip
    for name in (
        "", "*", ".", "*.", "a..b", "https://lms.school.org", "lms.school.org/path", "lms.school.org ; script-src *", "a b", "a,b",
        "'none'", "lms.school.org\r\nX: y", "*.*.org", "ä.org", "x" * 254, "[::1]", "data:", "lms.school.org\n",
    ):  # fmt: skip
        with pytest.raises(SettingError, match="is not the name of a host"):
            allowed_host(name)
        with pytest.raises(SettingError, match=r"is not the name of a host|has no port after the colon"):
            frame_ancestor(name)
    for name in ("a.org:", "a.org:0", "a.org:65536", "a.org:8x", "a.org:80:80", "a.org:٣", "a.org:1234567"):
        with pytest.raises(SettingError, match="has no port after the colon"):
            frame_ancestor(name)


@pytest.mark.parametrize(
    ("host", "origin"), [("evil.example", None), ("localhost", "http://evil.example"), ("localhost", "null")]
)
def test_a_websocket_of_another_site_is_closed(host: str, origin: str | None) -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("it was let in")

    async def keep(message: Message) -> None:
        sent.append(message)

    async def nothing() -> Message:
        return {"type": "websocket.connect"}

    headers = [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin else [])]
    scope: dict[str, Any] = {"type": "websocket", "path": "/", "headers": headers}
    run(Guard(app, LOCAL)(scope, nothing, keep))
    assert sent == [{"type": "websocket.close", "code": 1008}]
