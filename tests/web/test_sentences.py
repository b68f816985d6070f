"""No error in other words than ours: plain answers, streams of events, exceptions."""

from __future__ import annotations

import json

import pytest
from starlette.types import Receive, Scope, Send

from resnet_demo.web.sentences import ENDED, MARK, MISFIT, TITLE, Refusal, Sentences, in_sentences
from tests.web.asgi import Answer, answering, ask, http


def through(*chunks: bytes, status: int = 200, path: str = "/gradio_api/run/predict", **headers: str) -> Answer:
    return ask(Sentences(answering(*chunks, status=status, headers=headers)), http("POST", path))


@pytest.mark.parametrize(
    ("status", "body", "becomes"),
    [
        (500, b'{"error":"\'float\' object is not subscriptable","visible":true}', 400),
        (500, b"Internal Server Error", 400),
        (422, b'{"detail":[{"loc":["body","data"],"msg":"Field required"}]}', 400),
        (400, b'{"detail":"Session hash not found."}', 400),
        (404, b'{"detail":"Not Found"}', 404),
        (403, b'{"detail":"File not allowed: /etc/passwd."}', 404),
        (405, b'{"detail":"Method Not Allowed"}', 405),
        (413, b"File size exceeded maximum allowed size of 26214400 bytes.", 413),
        (503, b'{"detail":"Queue is full. Max size is 200 and size is 200."}', 503),
        (502, b"Bad Gateway", 400),
    ],
)
def test_gradios_error_becomes_a_sentence(status: int, body: bytes, becomes: int) -> None:
    answer = through(body, status=status)
    assert answer.status == becomes
    content = json.loads(answer.text)
    assert content["error"] == content["detail"]
    assert content["error"].endswith(".") and content["error"].encode() not in body
    assert int(answer.headers["content-length"]) == len(answer.text)


def test_an_existing_file_and_a_missing_one_are_refused_alike() -> None:
    allowed = through(b'{"detail":"File not allowed: /etc/passwd."}', status=403)
    missing = through(b'{"detail":"File not found: /etc/nothing."}', status=404)
    assert (allowed.status, allowed.text) == (missing.status, missing.text)


def test_the_sentence_of_a_callback_passes_with_status_400() -> None:
    answer = through(
        json.dumps({"error": "You already have a run waiting.", "title": TITLE, "visible": True}).encode(), status=500
    )
    assert answer.status == 400
    assert json.loads(answer.text)["error"] == "You already have a run waiting."


def test_gradios_own_error_is_replaced_though_it_is_worded_for_the_page() -> None:
    answer = through(b'{"error":"Value 7 is greater than maximum value 5.","title":"Error","visible":true}', status=500)
    assert json.loads(answer.text)["error"] == MISFIT


def test_a_refusal_of_ours_passes_as_it_is() -> None:
    answer = through(b'{"error":"There is no run x."}', status=404, **{MARK: "1", "content-type": "application/json"})
    assert (answer.status, answer.text) == (404, '{"error":"There is no run x."}')


def test_an_upload_and_a_person_get_plain_text() -> None:
    assert through(b"oops", status=400, path="/gradio_api/upload").text == MISFIT
    scope = http(path="/export/x/csv", headers=[("host", "localhost"), ("accept", "text/html,*/*")])
    assert ask(Sentences(answering(b"oops", status=500)), scope).text == MISFIT
    assert Refusal(400, "No.", scope).media_type == "text/plain"


def test_an_exception_is_a_sentence_to_the_client_and_itself_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    answer = ask(Sentences(fails), http("POST"))
    assert answer.status == 400
    assert json.loads(answer.text)["error"] == MISFIT
    assert "surrogates not allowed" in caplog.text


def test_an_answer_that_breaks_off_is_left_to_the_server() -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        ask(Sentences(breaks), http())


def test_answers_without_an_error_pass_part_by_part() -> None:
    answer = through(b"one", b"two", **{"content-type": "text/event-stream"})
    assert answer.chunks == [b"one", b"two", b""]


def test_a_stream_that_breaks_off_ends_as_a_stream(caplog: pytest.LogCaptureFixture) -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        raise RuntimeError("half way")

    assert ask(Sentences(breaks), http()).chunks == [b"data: 1\n\n", b""]
    assert "half way" in caplog.text


GRADIOS_OUTPUT = {"error": "'float' object is not subscriptable", "visible": True}
OWN_OUTPUT = {"error": "Depth 7 does not exist.", "title": TITLE, "visible": True, "duration": 10}


def test_an_error_in_a_stream_of_the_page_is_a_sentence() -> None:
    message = {"msg": "process_completed", "event_id": "a", "output": GRADIOS_OUTPUT, "success": False, "title": "Error"}
    event = b"data: " + json.dumps(message, separators=(",", ":")).encode() + b"\n\n"
    changed = json.loads(in_sentences(event).removeprefix(b"data: "))
    assert changed["output"]["error"] == MISFIT
    assert changed["event_id"] == "a" and changed["success"] is False
    assert in_sentences(event).endswith(b"\n\n")
    message["output"] = OWN_OUTPUT
    event = b"data: " + json.dumps(message, separators=(",", ":")).encode() + b"\n\n"
    assert json.loads(in_sentences(event).removeprefix(b"data: "))["output"] == OWN_OUTPUT


@pytest.mark.parametrize("data", [GRADIOS_OUTPUT, {"error": None}, None, "'NoneType' object is not iterable"])
def test_an_error_in_a_stream_of_a_script_is_a_sentence(data: object) -> None:
    event = f"event: error\ndata: {json.dumps(data)}\n\n".encode()
    assert json.loads(in_sentences(event).partition(b"data: ")[2])["error"] == MISFIT


def test_our_own_error_in_a_stream_of_a_script_passes() -> None:
    event = f"event: error\ndata: {json.dumps(OWN_OUTPUT)}\n\n".encode()
    assert json.loads(in_sentences(event).partition(b"data: ")[2]) == OWN_OUTPUT


def test_a_stream_that_breaks_off_says_so_in_a_sentence() -> None:
    event = b'data: {"msg":"unexpected_error","event_id":null,"message":"KeyError: \'a\'","session_not_found":true,"success":false}\n\n'
    changed = json.loads(in_sentences(event).removeprefix(b"data: "))
    assert changed["message"] == ENDED
    assert changed["session_not_found"] is True


def test_every_other_event_is_passed_on_byte_for_byte() -> None:
    events = (
        b'data: {"msg":"process_generating","output":{"data":["event: error"]},"success":true}\n\ndata: {"msg":"heartbeat"}\n\n'
    )
    assert in_sentences(events) == events
