"""What lies in the upload folder, by an application that keeps files as Gradio does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from resnet_demo.web.uploads import UploadLimits, Uploads
from tests.web.asgi import Answer, answering, ask, http, send_to

LIMITS = UploadLimits(bytes_of_visitor=300, bytes_of_all=500, files_of_visitor=4, free=1000)
PLENTY = 1_000_000


def keeper(folder: Path) -> ASGIApp:
    """Keeps the body as the file that a header names, and answers with its path."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = folder / scope["name"] / "picture.png"
        path.parent.mkdir(parents=True)
        path.write_bytes((await receive())["body"])
        await answering(json.dumps([str(path)]).encode())(scope, receive, send)

    return app


class Folder:
    """An upload folder behind the layer."""

    def __init__(self, folder: Path, free: int = PLENTY) -> None:
        self.path = folder
        self.layer = Uploads(keeper(folder), folder, LIMITS, free=lambda _: free)

    def upload(self, name: str, visitor: str, size: int = 100) -> Answer:
        headers = [("host", "localhost"), ("content-length", str(size))]
        scope = http("POST", "/gradio_api/upload", headers, client=(visitor, 5000), name=name)
        return ask(self.layer, scope, [b"x" * size, b""])

    def names(self) -> set[str]:
        return {path.name for path in self.path.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_visitors_oldest_file_goes_first(folder: Folder) -> None:
    for name in ("one", "two", "three"):
        assert folder.upload(name, "ada").status == 200
    assert folder.names() == {"one", "two", "three"}
    assert folder.upload("four", "ada").status == 200
    assert folder.names() == {"two", "three", "four"}


def test_a_visitor_keeps_so_many_files_however_small(folder: Folder) -> None:
    for name in ("one", "two", "three", "four", "five"):
        folder.upload(name, "ada", size=1)
    assert folder.names() == {"two", "three", "four", "five"}


def test_one_visitor_does_not_push_out_another_before_the_folder_is_full(folder: Folder) -> None:
    folder.upload("bobs", "bob")
    for name in ("one", "two", "three", "four", "five"):
        folder.upload(name, "ada")
    assert folder.names() == {"bobs", "three", "four", "five"}


def test_in_all_the_oldest_file_goes_first_whosever_it_is(folder: Folder) -> None:
    for number in range(6):
        assert folder.upload(f"file{number}", f"visitor{number}").status == 200
    assert folder.names() == {"file1", "file2", "file3", "file4", "file5"}


def test_the_visitors_layer_says_who_it_is(folder: Folder) -> None:
    headers = [("host", "localhost"), ("content-length", "100")]
    for number in range(4):  # one classroom behind one address
        scope = http("POST", "/gradio_api/upload", headers, client=("10.0.0.1", 5000), name=str(number))
        scope["state"]["visitor"] = f"cookie{number}"
        ask(folder.layer, scope, [b"x" * 100, b""])
    assert folder.names() == {"0", "1", "2", "3"}


def test_what_gradio_keeps_for_the_page_stays(folder: Folder) -> None:
    (folder.path / "examples").mkdir()
    (folder.path / "examples" / "cat.jpg").write_bytes(b"x" * 900)
    for number in range(7):
        folder.upload(f"file{number}", f"visitor{number}")
    assert "examples" in folder.names()


def test_an_upload_that_can_never_fit_is_refused(folder: Folder) -> None:
    answer = folder.upload("large", "ada", size=301)
    assert answer.status == 429
    assert folder.names() == set()


def test_a_disk_that_is_nearly_full_takes_no_upload(tmp_path: Path) -> None:
    short = Folder(tmp_path, free=1050)
    answer = short.upload("one", "ada")
    assert answer.status == 507
    assert answer.text == "The server's disk is nearly full, so it takes no upload now. Tell whoever runs this app."
    assert short.names() == set()
    assert short.upload("small", "ada", size=50).status == 200


def test_uploads_on_their_way_count(tmp_path: Path) -> None:
    statuses: list[int] = []

    async def while_it_comes(scope: Scope, receive: Receive, send: Send) -> None:
        depth = scope["depth"]
        if depth < 6:
            headers = [("host", "localhost"), ("content-length", "100")]
            nested = http(
                "POST",
                "/gradio_api/upload",
                headers,
                client=(scope["whose"].format(depth), 1),
                depth=depth + 1,
                whose=scope["whose"],
            )
            statuses.append((await send_to(layer, nested)).status)
        await answering(b"[]")(scope, receive, send)

    def run(whose: str) -> set[int]:
        statuses.clear()
        headers = [("host", "localhost"), ("content-length", "100")]
        ask(layer, http("POST", "/gradio_api/upload", headers, client=("first", 1), depth=0, whose=whose))
        return set(statuses)

    layer = Uploads(while_it_comes, tmp_path, LIMITS, free=lambda _: PLENTY)
    assert run("ada") == {200, 429}
    assert run("visitor{}") == {200, 503}
    assert run("ada") == {200, 429}  # the room is given back


def test_every_other_request_is_passed_on(tmp_path: Path) -> None:
    layer = Uploads(answering(b"read"), tmp_path, LIMITS, free=lambda _: 0)
    assert ask(layer, http("POST", "/gradio_api/queue/join")).text == "read"


@pytest.mark.parametrize("content", [b'{"error": "x"}', b'["/etc/passwd"]', b'["/nowhere"]'])
def test_only_files_of_the_folder_are_noted(tmp_path: Path, content: bytes) -> None:
    layer = Uploads(answering(content), tmp_path, UploadLimits(files_of_visitor=0), free=lambda _: PLENTY * 1000)
    assert ask(layer, http("POST", "/gradio_api/upload", [("content-length", "10")])).status == 200
    assert Path("/etc/passwd").exists()


def leaving(*left: Path, named: Path | None = None, status: int = 200) -> ASGIApp:
    """Writes files as Gradio does, and names one of them in its answer, or none."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for path in (*left, *([named] if named else [])):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x" * 100)
        await answering(json.dumps([str(named)] if named else []).encode(), status=status)(scope, receive, send)

    return app


def upload(app: ASGIApp) -> Answer:
    scope = http("POST", "/gradio_api/upload", [("host", "localhost"), ("content-length", "100")], client=("ada", 5000))
    return ask(app, scope, [b"x" * 100, b""])


def test_what_an_upload_leaves_without_naming_it_is_deleted(tmp_path: Path) -> None:
    of_page, temporary = tmp_path / ("a" * 64) / "example.png", tmp_path / "tmp1234"
    of_page.parent.mkdir()
    of_page.write_bytes(b"kept by Gradio for the page")
    os.utime(of_page, (0, 0))
    named, half = tmp_path / ("b" * 64) / "mine.png", tmp_path / ("c" * 64) / "a.bin"
    upload(Uploads(leaving(temporary, named=named), tmp_path, LIMITS, free=lambda _: PLENTY))
    assert named.exists() and not temporary.exists()
    upload(Uploads(leaving(temporary, half, status=400), tmp_path, LIMITS, free=lambda _: PLENTY))
    assert not temporary.exists() and not half.exists()
    assert of_page.exists()


def test_an_upload_folder_behind_a_link_is_counted_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    folder = Folder(tmp_path / "link")
    for name in ("one", "two", "three", "four"):
        folder.upload(name, "ada")
    assert folder.names() == {"two", "three", "four"}
