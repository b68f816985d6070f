"""How much a request may bring, by scopes alone."""

from __future__ import annotations

import json

import pytest
from starlette.types import Message, Receive, Scope, Send

from resnet_demo.web.body import Bodies, BodyLimits
from resnet_demo.web.sentences import Sentences
from tests.web.asgi import Answer, answering, ask, http

SMALL = BodyLimits(bytes=1000, bytes_of_all=1500, files=2, seconds_idle=0.05, discard_seconds=0.05)
TYPES = ["application/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded", ""]


def post(
    body: list[bytes], *, length: int | None = None, kind: str = "application/json", path: str = "/x", ends: bool = True,
    limits: BodyLimits = SMALL, expect: bool = False,
) -> Answer:  # fmt: skip
    size = ("transfer-encoding", "chunked") if length is None else ("content-length", str(length))
    headers = [("host", "localhost"), size, ("content-type", kind), *([("expect", "100-continue")] if expect else [])]
    return ask(Bodies(Sentences(answering(b"read")), limits), http("POST", path, headers), body, ends=ends)


@pytest.mark.parametrize("kind", [*TYPES])
@pytest.mark.parametrize("length", [None, 1001])
def test_a_body_above_the_limit_is_refused_with_a_length_and_without(kind: str, length: int | None) -> None:
    answer = post([b"x" * 500, b"x" * 500, b"x"], length=length, kind=kind)
    assert answer.status == 413
    assert "The request is too large" in answer.text
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("length", [None, 1000])
def test_a_body_of_the_limit_is_read(length: int | None) -> None:
    assert post([b"x" * 500, b"x" * 500], length=length).text == "read"


def test_a_body_that_is_longer_than_its_length_says_is_refused() -> None:
    assert post([b"x" * 500] * 3, length=10).status == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "٣"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    headers = [("host", "localhost"), ("content-length", length.encode().decode("latin-1"))]
    assert ask(Bodies(answering(b"read"), SMALL), http("POST", "/x", headers)).status == 413


def test_the_application_is_given_no_byte_above_the_limit() -> None:
    given = 0

    async def counts(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal given
        while True:
            given += len((await receive()).get("body", b""))

    headers = [("host", "localhost"), ("transfer-encoding", "chunked")]
    assert ask(Bodies(counts, SMALL), http("POST", "/x", headers), [b"x" * 400] * 9).status == 413
    assert given == 800


def test_an_application_that_swallows_the_refusal_does_not_answer_in_its_place() -> None:
    async def swallows(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while True:
                await receive()
        except Exception:
            await answering(b"Invalid JSON body.", status=400)(scope, _empty, send)

    headers = [("host", "localhost"), ("transfer-encoding", "chunked")]
    answer = ask(Bodies(swallows, SMALL), http("POST", "/x", headers), [b"x" * 600] * 2)
    assert answer.status == 413
    assert "Invalid" not in answer.text


def test_a_client_that_asks_first_is_refused_before_it_sends() -> None:
    assert post([], length=5000, expect=True).status == 413


def test_a_client_that_sends_nothing_more_is_refused() -> None:
    answer = post([b"{"], length=100, ends=False)
    assert answer.status == 408
    assert json.loads(answer.text)["error"].startswith("The request came too slowly")


def test_a_client_that_sends_a_little_for_ever_is_refused() -> None:
    async def drips(app: Bodies, scope: Scope, send: Send) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": True}

        await app(scope, receive, send)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await drips(Bodies(answering(b"read"), BodyLimits(seconds=0)), scope, send)

    assert ask(application, http("POST", "/x", [("host", "localhost"), ("transfer-encoding", "chunked")])).status == 408


def test_a_client_that_leaves_is_told_from_one_that_is_done() -> None:
    async def leaves(scope: Scope, receive: Receive, send: Send) -> None:
        async def gone() -> Message:
            return {"type": "http.disconnect"}

        await Bodies(answering(b"read"), SMALL)(scope, gone, send)

    assert ask(leaves, http("POST", "/x", [("host", "localhost"), ("content-length", "5")])).status == 400


def multipart(files: int) -> bytes:
    part = b'--edge\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n--edgy\r\n'
    return part * files + b"--edge--\r\n"


@pytest.mark.parametrize("size", [1, 7, 5000])
@pytest.mark.parametrize(("files", "status"), [(1, 200), (2, 200), (3, 413), (9, 413)])
def test_the_files_of_one_upload_are_counted_however_it_is_cut(size: int, files: int, status: int) -> None:
    body = multipart(files)
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    answer = post(chunks, kind="multipart/form-data; boundary=edge", path="/gradio_api/upload")
    assert answer.status == status
    if status == 413:
        assert answer.text == "At most 2 files can be uploaded at once. Send fewer."


def test_files_are_taken_by_uploads_only() -> None:
    answer = post([multipart(1)], kind="Multipart/Form-Data; boundary=edge", path="/gradio_api/component_server")
    assert answer.status == 415


def test_bodies_in_memory_are_limited_together_and_counted_back() -> None:
    inner: list[Answer] = []

    async def nested(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        if scope["path"] == "/outer":
            from tests.web.asgi import send_to

            inner.append(await send_to(layer, http("POST", "/inner", headers), [b"x" * 900]))
        await answering(b"read")(scope, _empty, send)

    headers = [("host", "localhost"), ("content-length", "900")]
    layer = Bodies(nested, SMALL)
    assert ask(layer, http("POST", "/outer", headers), [b"x" * 900]).text == "read"
    assert inner[0].status == 503
    assert ask(layer, http("POST", "/inner", headers), [b"x" * 900]).text == "read"


async def _empty() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
