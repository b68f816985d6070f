"""Every event and endpoint of the running app, asked for the server's files."""

from __future__ import annotations

import itertools
import json
import os
import re
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy
import pytest
from PIL import Image

from resnet_demo.inference.examples import EXAMPLE_PICTURES
from resnet_demo.web.paths import REFUSAL
from tests.ui.conftest import App

MARK = {"meta": {"_type": "gradio.FileData"}}
LEAK = re.compile(r"data:image|a-secret-name|root:x:")


@dataclass(frozen=True)
class Endpoint:
    """One event of the page or endpoint of the API: its number, its inputs with the values they start with, its way in."""

    number: int
    inputs: tuple[tuple[str, Any], ...]
    queued: bool

    @property
    def takes_a_picture(self) -> bool:
        return any(kind == "image" for kind, _ in self.inputs)


@pytest.fixture(scope="module")
def client(app: App) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=app.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def endpoints(client: httpx.Client) -> list[Endpoint]:
    """All of them, from what the app says of itself."""
    config = client.get("config").json()
    components = {component["id"]: component for component in config["components"]}
    return [
        Endpoint(
            event["id"],
            tuple((components[i]["type"], components[i]["props"].get("value")) for i in event["inputs"]),
            event["queue"] is not False,
        )
        for event in config["dependencies"]
        if event["backend_fn"]
    ]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that nobody may call."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening
        with pytest.raises(BlockingIOError):
            listening.accept()


def hostile(app: App, folder: Path, listener: socket.socket) -> dict[str, dict[str, Any]]:
    """Descriptions of files that nobody may have."""
    secret = folder / "a-secret-name.png"
    Image.fromarray(numpy.random.default_rng(0).integers(0, 256, (40, 40, 3), numpy.uint8)).save(secret)
    os.mkfifo(folder / "fifo.png")
    uploads = app.home / "uploads"
    uploads.mkdir(exist_ok=True)
    out = uploads / f"{uuid.uuid4().hex}.png"
    out.symlink_to(secret)
    pipe = uploads / f"{uuid.uuid4().hex}.png"
    os.mkfifo(pipe)
    web = f"http://127.0.0.1:{listener.getsockname()[1]}/cat.png"
    return {
        "existing": {"path": str(secret)},
        "missing": {"path": str(folder / "missing.png")},
        "a device": {"path": "/dev/zero"},
        "a FIFO": {"path": str(folder / "fifo.png")},
        "a folder": {"path": str(uploads)},
        "a link that leads out": {"path": str(out)},
        "a FIFO among the uploads": {"path": str(pipe)},
        "a missing upload": {"path": str(uploads / "missing.png")},
        "a file: URL": {"url": f"file://{secret}"},
        "a web address": {"url": web},
        "a web address as path": {"path": web},
        "a file: URL as path": {"path": f"file://{secret}"},
        "a picture of the app that is no example": {"path": str(EXAMPLE_PICTURES[0].path.parents[2] / "docs" / "classify.png")},
        "a text": {"path": "/etc/passwd"},
    }


def answer(client: httpx.Client, endpoint: Endpoint, data: list[Any], event_data: Any = None) -> str:
    """All that an endpoint answers, as the browser gets it."""
    session = uuid.uuid4().hex
    body = {"data": data, "fn_index": endpoint.number, "session_hash": session, "event_data": event_data}
    if not endpoint.queued:
        return client.post("gradio_api/run/predict", json=body).text
    joined = client.post("gradio_api/queue/join", json=body)
    if joined.status_code != 200:
        return joined.text
    lines = []
    with client.stream("GET", "gradio_api/queue/data", params={"session_hash": session}) as stream:
        for line in stream.iter_lines():
            lines.append(line)
            if '"msg":"process_completed"' in line.replace(" ", ""):
                break
    return "\n".join(lines)


CLICK = {"target": 0, "answer": 0, "index": 0}


def answer_about(client: httpx.Client, endpoint: Endpoint, picture: dict[str, Any]) -> str:
    """What an endpoint that takes a picture answers about this one."""
    data = [picture if kind == "image" else value for kind, value in endpoint.inputs]
    return answer(client, endpoint, data, CLICK)


def split_by_answer(client: httpx.Client, endpoints: list[Endpoint]) -> tuple[list[Endpoint], list[Endpoint]]:
    """The endpoints that answer about a picture, and those that take one only to show it again (a step of the history)."""
    example = {"path": str(EXAMPLE_PICTURES[0].path)}
    answering: list[Endpoint] = []
    showing: list[Endpoint] = []
    for endpoint in (endpoint for endpoint in endpoints if endpoint.takes_a_picture):
        (answering if "data:image" in answer_about(client, endpoint, example) else showing).append(endpoint)
    assert len(answering) >= 4  # the page's three ways to ask, and /classify
    return answering, showing


def without_times(text: str) -> str:
    """The messages of an answer, without their times; whether the queue had time to tell its place is no part of it."""
    messages = "\n".join(line for line in text.splitlines() if line and '"msg":"estimation"' not in line)
    return re.sub(r'"(event_id|[a-z_]*(?:duration|time|eta)[a-z_]*)": ?[^,}]*', "", messages)


def test_no_endpoint_with_a_picture_opens_a_file_of_the_server(
    app: App, client: httpx.Client, endpoints: list[Endpoint], tmp_path: Path, listener: socket.socket
) -> None:
    files = hostile(app, tmp_path, listener)
    answering, showing = split_by_answer(client, endpoints)
    of_missing = {endpoint.number: without_times(answer_about(client, endpoint, files["missing"])) for endpoint in showing}
    for endpoint, (name, file), mark in itertools.product(answering + showing, files.items(), ({}, MARK, {"meta": 5})):
        text = answer_about(client, endpoint, file | mark)
        where = f"endpoint {endpoint.number}, {name}, {mark}: {text[-1000:]}"
        assert not LEAK.search(text), where
        if endpoint in answering:
            assert REFUSAL in text, where
            assert not any(str(part) in text for part in file.values()), where
        else:
            assert REFUSAL in text or without_times(text) == of_missing[endpoint.number], where


def test_no_other_input_of_any_endpoint_takes_a_file(
    app: App, client: httpx.Client, endpoints: list[Endpoint], tmp_path: Path, listener: socket.socket
) -> None:
    files = hostile(app, tmp_path, listener)
    tried = 0
    for endpoint in endpoints:
        for place, (kind, _) in enumerate(endpoint.inputs):
            if kind == "image":
                continue
            for value in (files["existing"] | MARK, {"run": [files["a web address as path"] | MARK]}):
                data = [None] * place + [value] + [None] * (len(endpoint.inputs) - place - 1)
                said = answer(client, endpoint, data)
                assert REFUSAL in said and not LEAK.search(said), f"endpoint {endpoint.number}, input {place}: {said}"
                tried += 1
    assert tried > 200


def test_a_file_beside_an_event_is_not_opened(
    app: App, client: httpx.Client, endpoints: list[Endpoint], tmp_path: Path, listener: socket.socket
) -> None:
    files = hostile(app, tmp_path, listener)
    for endpoint in endpoints:
        words = [
            answer(client, endpoint, [None for _ in endpoint.inputs], files[name] | MARK) for name in ("existing", "missing")
        ]
        assert not any("data:image" in said for said in words)


def test_an_example_is_answered_by_its_path_and_an_upload_by_its_own(
    client: httpx.Client, endpoints: list[Endpoint], tmp_path: Path
) -> None:
    uploaded = client.post("gradio_api/upload", files={"files": ("mine.png", EXAMPLE_PICTURES[1].path.read_bytes())}).json()[0]
    for endpoint in split_by_answer(client, endpoints)[0]:
        for path, mark in ((str(EXAMPLE_PICTURES[0].path), {}), (uploaded, MARK)):
            said = answer_about(client, endpoint, {"path": path} | mark)
            assert REFUSAL not in said and "data:image" in said, f"endpoint {endpoint.number}: {said[-1000:]}"


PLACES = (
    "gradio_api/file={}", "gradio_api/file/{}", "gradio_api/stream/{}", "static/{}", "assets/{}", "svelte/{}", "export/{}/zip", "runs/{}",
    "gradio_api/custom_component/{}/client/component/style.css", "pwa_icon/{}", "gradio_api/proxy={}",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_no_address_gives_a_file_of_the_server_or_says_whether_it_is_there(
    app: App, client: httpx.Client, tmp_path: Path, place: str
) -> None:
    secret, missing = tmp_path / "a-secret.txt", tmp_path / "missing.txt"
    secret.write_text("nobody may read this")
    os.mkfifo(tmp_path / "fifo.txt")
    for form in ("{}", "../../../../../../../..{}", "..%2f..%2f..%2f..%2f..%2f..%2f..{}"):
        answers = []
        for path in (secret, missing, tmp_path / "fifo.txt"):
            found = client.get(place.format(form.format(path)))
            assert "nobody may read this" not in found.text
            answers.append((found.status_code, found.text.replace(path.name, "NAME")))
        assert answers[0] == answers[1] == answers[2] and answers[0][0] >= 400


def test_no_function_of_a_component_can_be_called_with_a_path(client: httpx.Client, tmp_path: Path) -> None:
    """Some of Gradio's components list folders or read files for the browser; this page has none of them."""
    components = {component["type"]: component for component in client.get("config").json()["components"]}
    for component in components.values():
        functions = component["props"].get("server_fns") or []
        for name in {*functions, "ls", "preprocess", "postprocess", "get_file", "load"}:
            body = {"component_id": component["id"], "fn_name": name, "data": str(tmp_path), "session_hash": uuid.uuid4().hex}
            assert client.post("gradio_api/component_server", json=body).status_code >= 400, json.dumps(body)
