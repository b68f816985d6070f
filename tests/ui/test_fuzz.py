"""Whatever is sent to any endpoint, the answer is a sentence of ours or a result: a bounded number of random requests."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ui.conftest import App

BOUNDED = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
BETRAYS = re.compile(
    r"Traceback|File \"/|site-packages|object at 0x|<class |NoneType|[A-Za-z]+Error\b|not subscriptable|has no attribute"
    r"|Internal Server Error|gradio\.components|didn't receive enough|Cannot move|Field required|not in the list of choices"
)
"""What no answer may hold: a traceback, a path of the installation, a Python class, Gradio's or FastAPI's wording."""

FILES = st.sampled_from([
    {"path": "/etc/passwd"}, {"path": "/dev/zero"}, {"path": "/"}, {"path": ""}, {"path": None, "url": "data:,x"}, {"path": "\x00"},
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, {"url": "http://127.0.0.1:1/"}, {"meta": {"_type": "gradio.FileData"}},
])  # fmt: skip
TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(["\ud800", "\x00", "../..", "NaN", "<b>", "a" * 5000]))
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, FILES)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
ARGUMENTS = st.lists(VALUES, max_size=9)
PATHS = (
    "queue/join", "run/predict", "api/predict", "call/classify", "call/run", "call/stop_run", "call/v2/classify", "call/nothing",
    "component_server", "cancel", "reset", "stream/x", "stream/x/close", "upload", "process_recording", "login", "vibe-edit",
)  # fmt: skip


def encode(body: object) -> bytes:
    return json.dumps(body).encode()  # NaN, Infinity and lone surrogates as Python writes them


def check(answer: httpx.Response) -> None:
    """No error but a sentence."""
    assert answer.status_code < 500 or answer.status_code in (503, 507), answer.text
    if answer.status_code >= 400:
        sentence = answer.text
        if answer.headers["content-type"].startswith("application/json"):
            sentence = answer.json()["error"]
        assert re.fullmatch(r"[A-Z].*\.", sentence), sentence
        assert not BETRAYS.search(answer.text), answer.text


def check_events(answer: httpx.Response) -> None:
    """As `check`, for each event of a stream."""
    for line in answer.text.splitlines():
        if not line.startswith("data: "):
            continue
        data = json.loads(line.removeprefix("data: "))
        failed = isinstance(data, dict) and (data.get("success") is False or data.get("error"))
        if failed:
            assert not BETRAYS.search(line), line
            output = data.get("output") or data
            assert re.fullmatch(r"(?s)[A-Za-z].*\.", output.get("error") or output.get("message")), line


@pytest.fixture(scope="module")
def client(app: App) -> Any:
    with httpx.Client(base_url=f"{app.url}gradio_api/", timeout=60) as opened:
        yield opened


@pytest.fixture(scope="module")
def functions(app: App) -> list[dict[str, Any]]:
    found = [entry for entry in httpx.get(f"{app.url}config", timeout=60).json()["dependencies"] if entry["backend_fn"]]
    assert {entry["queue"] for entry in found} >= {False}
    return found


@given(data=st.data())
@BOUNDED
def test_any_event_called_with_anything_answers_in_sentences(
    client: httpx.Client, functions: list[dict[str, Any]], data: st.DataObject
) -> None:
    function = data.draw(st.sampled_from(functions))
    session, arguments = secrets.token_hex(8), data.draw(ARGUMENTS)
    if data.draw(st.booleans()):  # as many as it takes
        arguments = (arguments + [None] * 40)[: len(function["inputs"])]
    body = {"data": arguments, "fn_index": function["id"], "session_hash": session, "event_data": data.draw(PLAIN)}
    if function["queue"] is False:
        check(client.post("run/predict", content=encode(body), headers={"Content-Type": "application/json"}))
        return
    answer = client.post("queue/join", content=encode(body), headers={"Content-Type": "application/json"})
    check(answer)
    if answer.status_code == 200:
        check_events(client.get("queue/data", params={"session_hash": session}))


FIELDS = ("data", "fn_index", "session_hash", "component_id", "fn_name", "event_id", "event_data", "trigger_id")
KINDS = (
    "application/json", "text/plain", "multipart/form-data; boundary=x", "multipart/form-data", "application/x-www-form-urlencoded", "",
)  # fmt: skip
LINKS = (
    "file=/etc/passwd", "file=%00", "file=/dev/zero", "file=" + "a" * 3000, "upload_progress?upload_id=x", "runs", "info?x",
    "custom_component/x/y/z/a", "stream/a/b/1/playlist.m3u8", "../runs/x", "../export/x/zip", "../theme.css", "queue/status",
    "../runs/x?position=y", "../config", "../assets/..%2f..%2fx", "../static/../../x", "../monitoring", "../svelte/x",
    "queue/data", "queue/data?session_hash=x", "call/run/x", "call/classify/x",
)  # fmt: skip


@given(path=st.sampled_from(PATHS), body=st.one_of(VALUES, st.dictionaries(st.sampled_from(FIELDS), VALUES)))
@BOUNDED
def test_any_address_sent_any_json_answers_in_sentences(client: httpx.Client, path: str, body: object) -> None:
    check(client.post(path, content=encode(body), headers={"Content-Type": "application/json"}))


@given(path=st.sampled_from(PATHS), body=st.binary(max_size=200), kind=st.sampled_from(KINDS))
@BOUNDED
def test_any_address_sent_any_bytes_answers_in_sentences(client: httpx.Client, path: str, body: bytes, kind: str) -> None:
    check(client.post(path, content=body, headers={"Content-Type": kind}))


@given(path=st.one_of(st.sampled_from(LINKS), st.text(st.characters(codec="utf-8"), max_size=30).map(quote)))
@BOUNDED
def test_any_link_answers_in_sentences(client: httpx.Client, path: str) -> None:
    for method in ("GET", "PATCH"):
        answer = client.request(method, path)
        check(answer)
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            check_events(answer)
