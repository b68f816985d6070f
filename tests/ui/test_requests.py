"""Requests that the running app must refuse, and those that it must not."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from resnet_demo.zoo.catalogue import RECORDED
from tests.ui.conftest import ROOT, App, free_port, start_app, stop_app

MB = 1_000_000


def ask(
    app: App, method: str, path: str, body: bytes | Iterator[bytes] | None = None, **headers: str
) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of one request; without a Host of ours if another is given."""
    address = urlsplit(app.url)
    with closing(http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)) as connection:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=names, encode_chunked=isinstance(body, Iterator))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read().decode()


def own(app: App) -> str:
    return app.url.rstrip("/")


def test_a_rebound_name_does_not_reach_the_app(app: App) -> None:
    for path in ("/", "/config", "/gradio_api/info", "/runs/x", "/assets/x.js"):
        assert ask(app, "GET", path, Host="evil.example")[0] == 421
    assert ask(app, "GET", "/", Host="someone-lab.hf.space")[0] == 200
    assert ask(app, "GET", "/", Host=f"{socket.gethostname()}:7860")[0] == 200


def test_a_foreign_page_drives_nothing_and_reads_nothing(app: App) -> None:
    body = json.dumps({"data": [{}, "word", ""], "session_hash": "s"}).encode()
    for origin in ("http://evil.example", "null", "http://localhost:1"):
        head = {"Origin": origin, "Content_Type": "application/json"}
        for path in ("/gradio_api/call/start_run", "/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/cancel"):
            assert ask(app, "POST", path, body, **head)[0] == 403
        preflight = ask(app, "OPTIONS", "/gradio_api/queue/join", Origin=origin, Access_Control_Request_Method="POST")
        assert preflight[0] == 403
        read = ask(app, "GET", "/gradio_api/info", Origin=origin)
        assert not [name for name in (*preflight[1], *read[1]) if name.startswith("access-control")]


def test_the_page_and_the_curves_are_sent_compressed_and_events_are_not(app: App) -> None:
    run = next(RECORDED.iterdir()).name
    for path in ("", f"runs/{run}?position=0"):
        with httpx.stream("GET", app.url + path) as answer:
            sent = sum(map(len, answer.iter_raw()))
        assert answer.headers["content-encoding"] == "gzip" and sent < len(httpx.get(app.url + path).content) / 3
        assert "content-encoding" not in httpx.get(app.url + path, headers={"Accept-Encoding": "identity"}).headers
    event = httpx.post(f"{app.url}gradio_api/call/run", json={"data": [run, 0]}).json()["event_id"]
    answer = httpx.get(f"{app.url}gradio_api/call/run/{event}", timeout=60)
    assert answer.headers["content-type"].startswith("text/event-stream") and len(answer.content) > 10_000
    assert "content-encoding" not in answer.headers


def test_the_apps_page_and_a_script_are_let_in(app: App) -> None:
    body = json.dumps({"data": []}).encode()
    for head in ({"Origin": own(app)}, {}):
        status, _, text = ask(app, "POST", "/gradio_api/call/run", body, Content_Type="application/json", **head)
        assert status == 200, text


def test_every_answer_has_the_headers(app: App) -> None:
    for path in ("/", "/config", "/nothing", "/gradio_api/file=/etc/passwd", "/runs/x"):
        headers = ask(app, "GET", path)[1]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "SAMEORIGIN"


def test_the_app_relays_nothing(app: App) -> None:
    for path in (f"/gradio_api/file={app.url}", f"/gradio_api/file/{app.url}", "/gradio_api/proxy=https://x.hf.space/"):
        status, _, text = ask(app, "GET", path)
        assert (status, "fetches nothing" in text) == (403, True)


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/octet-stream", "multipart/form-data; boundary=x"]
)
def test_a_request_above_30_mb_is_refused(app: App, kind: str) -> None:
    path = "/gradio_api/upload" if kind.startswith("multipart") else "/gradio_api/queue/join"
    begins = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
    blocks = [begins, *[b" " * MB] * 31]
    for body in (b"".join(blocks), iter(blocks)):
        status, _, text = ask(app, "POST", path, body, Content_Type=kind)
        assert (status, "too large" in text) == (413, True)


def resident(app: App) -> int:
    pages = Path(f"/proc/{app.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")
def test_a_json_of_100_mb_is_not_read_into_memory(app: App) -> None:
    before = resident(app)
    status, _, _ = ask(app, "POST", "/gradio_api/queue/join", (b" " * MB for _ in range(100)), Content_Type="application/json")
    assert status == 413
    assert resident(app) - before < 60 * MB


def test_one_upload_brings_ten_files_at_most(app: App) -> None:
    for count, status in ((10, 200), (11, 413)):
        answer = httpx.post(
            f"{app.url}gradio_api/upload", files=[("files", (f"{n}.txt", b"x")) for n in range(count)], timeout=60
        )
        assert answer.status_code == status
    assert answer.text == "At most 10 files can be uploaded at once. Send fewer."


def test_an_upload_that_breaks_off_leaves_nothing(app: App) -> None:
    folder = app.home / "uploads"
    before = {path for path in folder.rglob("*") if path.is_file()}
    address = urlsplit(app.url)
    with socket.create_connection((address.hostname, address.port)) as client:
        head = "POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
        head += "Content-Type: multipart/form-data; boundary=x"
        part = '--x\r\nContent-Disposition: form-data; name="files"; filename="half.png"\r\n\r\n'
        client.sendall(f"{head}\r\n\r\n{part}half".encode())
    answer = httpx.post(f"{app.url}gradio_api/upload", files={"files": ("whole.txt", b"whole")}, timeout=60)  # comes after it
    kept = {Path(path) for path in answer.json()}
    assert {path for path in folder.rglob("*") if path.is_file()} - before == kept


def test_two_hundred_slow_connections_leave_the_page_usable(app: App) -> None:
    address = urlsplit(app.url)
    half = b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
    slow = [socket.create_connection((address.hostname, address.port), timeout=120) for _ in range(200)]
    try:
        for number, client in enumerate(slow):
            client.sendall((b"", b"GET / HT", half)[number % 3])
        assert ask(app, "GET", "/")[0] == 200
        assert ask(app, "POST", "/gradio_api/call/run", b'{"data": []}', Content_Type="application/json")[0] == 200
        for client in slow:  # and each of them ends
            with suppress(ConnectionError):
                while client.recv(4096):
                    pass
    finally:
        for client in slow:
            client.close()


def test_a_link_that_leads_nowhere_is_a_sentence_to_read(app: App) -> None:
    status, headers, text = ask(app, "GET", "/nothing", Accept="text/html")
    assert (status, headers["content-type"].partition(";")[0]) == (404, "text/plain")
    assert text == "There is no such page or file here. Go back to the first page of the app."


def test_a_taken_port_is_a_sentence(app: App, tmp_path: Path) -> None:
    port = urlsplit(app.url).port
    environment = {**os.environ, "RESNET_DEMO_HOME": str(tmp_path), "GRADIO_TEMP_DIR": str(tmp_path / "uploads")}
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert (
        last
        == f"ResNet Lab: Port {port} of this machine cannot be opened: address already in use. Choose another one with --port."
    )
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app for a classroom, which a proxy serves under a path too."""
    options = ("--host", "0.0.0.0", "--root-path", "/lab", "--allowed-host", "lab.school.org")
    running = start_app(tmp_path_factory.mktemp("school"), free_port(), *options)
    yield running
    stop_app(running)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    running = start_app(
        tmp_path_factory.mktemp("space"),
        free_port(),
        SPACE_ID="someone/lab",
        SPACE_HOST="someone-lab.hf.space",
        SYSTEM="spaces",
    )
    yield running
    stop_app(running)


def starts(app: App, **headers: str) -> bool:
    """Whether a page with these headers may call the app, and gets the answer's events."""
    status, _, text = ask(
        app, "POST", "/gradio_api/call/run", b'{"data": ["x", 0]}', Content_Type="application/json", **headers
    )
    if status != 200:
        return False
    events = ask(app, "GET", f"/gradio_api/call/run/{json.loads(text)['event_id']}", Host=headers["Host"])[2]
    return events.startswith("event: error") and "There is no run 'x'." in events


def root(app: App, **headers: str) -> str:
    return str(json.loads(ask(app, "GET", "/config", **headers)[2])["root"])


@pytest.mark.parametrize("address", ["192.168.1.20:7860", "[fe80::1]:7860", "localhost", f"{socket.gethostname()}.:7860"])
def test_a_lan_address_works(school: App, address: str) -> None:
    assert starts(school, Host=address, Origin=f"http://{address.replace('.:', ':')}")


def test_a_proxy_with_a_path_works_whether_it_keeps_host_or_forwards_it(school: App) -> None:
    outside = "https://lab.school.org"
    kept = {"Host": "lab.school.org", "X_Forwarded_Proto": "https"}
    forwarded = {"Host": "127.0.0.1:7860", "X_Forwarded_Host": "lab.school.org", "X_Forwarded_Proto": "https"}
    for headers in (kept, forwarded):
        assert root(school, **headers) == f"{outside}/lab"
        assert starts(school, Origin=outside, **headers)
        assert not starts(school, Origin="https://evil.example", **headers)
    rebound = {**forwarded, "X_Forwarded_Host": "evil.example"}
    assert ask(school, "GET", "/config", **rebound)[0] == 421


def test_a_share_link_works(app: App) -> None:
    headers = {"Host": "0123abcd.gradio.live", "X_Forwarded_Proto": "https"}
    assert root(app, **headers) == "https://0123abcd.gradio.live"
    assert starts(app, Origin="https://0123abcd.gradio.live", **headers)


def test_a_space_works_in_hugging_faces_frame(space: App) -> None:
    headers = {"Host": "someone-lab.hf.space", "X_Forwarded_Host": "someone-lab.hf.space", "X_Forwarded_Proto": "https"}
    assert root(space, **headers) == "https://someone-lab.hf.space"
    assert starts(space, Origin="https://someone-lab.hf.space", **headers)
    assert not starts(space, Origin="https://evil.hf.space", **headers)
    answer = ask(space, "GET", "/", **headers)[1]
    assert answer["content-security-policy"] == "frame-ancestors 'self' https://huggingface.co https://*.hf.space"
    assert "x-frame-options" not in answer
