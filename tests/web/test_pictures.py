"""A visitor's own pictures over HTTP, without a browser."""

from __future__ import annotations

import errno
import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from resnet_demo.data.picture_store import PictureStore
from resnet_demo.web.body import Bodies, BodyLimits
from resnet_demo.web.pictures import add_pictures, sweep_regularly
from resnet_demo.web.visitor import VisitorCookie
from tests.data.archives import pack, pack_link, picture

KEY = b"k" * 32


@pytest.fixture
def store(tmp_path: Path) -> PictureStore:
    return PictureStore(tmp_path / "pictures", lambda: [("cat", "cat 1", picture(100)), ("ship", "ship 1", picture(101))])


@pytest.fixture
def client(store: PictureStore) -> TestClient:
    """A browser that has opened the page, and so has its cookie."""
    app = Starlette(middleware=[Middleware(VisitorCookie, key=KEY), Middleware(Bodies, limits=BodyLimits(bytes=1_000_000))])
    add_pictures(app, store)
    opened = TestClient(app, raise_server_exceptions=False)
    opened.get("/pictures")
    return opened


def classes(answer: Any) -> dict[str, int]:
    return {each["name"]: len(each["pictures"]) for each in answer.json()["classes"]}


def change(client: TestClient, **fields: str) -> Any:
    return client.post("/pictures/change", content=json.dumps(fields))


def add(client: TestClient, content: bytes, label: str = "", name: str = "a.png") -> Any:
    return client.post(f"/pictures/add?label={quote(label, safe='')}&name={quote(name)}", content=content)


def test_a_visitor_makes_a_set_and_sees_its_pictures(client: TestClient) -> None:
    assert client.get("/pictures").json()["own"] is False
    assert classes(change(client, do="start")) == {"Class 1": 0, "Class 2": 0}
    assert classes(change(client, do="rename-class", name="Class 1", new_name="Größe & b")) == {"Größe & b": 0, "Class 2": 0}
    answer = add(client, picture(1), "größe & B", "Bild ü.png")
    assert (classes(answer), answer.json()["own"]) == ({"Größe & b": 1, "Class 2": 0}, True)
    stored = answer.json()["classes"][0]["pictures"][0]
    assert stored["name"] == "Bild ü.png"
    shown = client.get(f"/pictures/{stored['file']}")
    assert shown.content.startswith(b"\x89PNG") and shown.headers["content-type"] == "image/png"
    assert "private" in shown.headers["cache-control"]
    assert classes(change(client, do="remove-picture", file=stored["file"])) == {"Größe & b": 0, "Class 2": 0}
    assert client.get(f"/pictures/{stored['file']}").status_code == 400
    assert classes(change(client, do="add-class")) == {"Größe & b": 0, "Class 2": 0, "Class 1": 0}
    assert classes(change(client, do="remove-class", name="Class 2")) == {"Größe & b": 0, "Class 1": 0}
    zipped = pack({"dogs/1.png": picture(2), "dogs/2.png": b"broken", "cups/1.png": picture(3)})
    assert add(client, zipped, name="set.zip").json()["sentences"] == [
        "2.png cannot be read or is in no folder, and was left out."
    ]
    assert classes(change(client, do="delete")) == {"cat": 1, "ship": 1}


def test_another_visitor_sees_and_changes_nothing_of_it(client: TestClient, store: PictureStore) -> None:
    stored = add(client, picture(1), "cat").json()["classes"][0]["pictures"][1]
    other = TestClient(client.app)
    other.get("/pictures")
    assert classes(other.get("/pictures")) == {"cat": 1, "ship": 1}
    assert other.get(f"/pictures/{stored['file']}").status_code == 400
    change(other, do="remove-picture", file=stored["file"])
    change(other, do="delete")
    assert classes(client.get("/pictures")) == {"cat": 2, "ship": 1}


@pytest.mark.parametrize(
    ("label", "content", "words"),
    [
        ("cat", b"", "empty"),
        ("cat", b"<svg onload=alert(1)>", "not a picture"),
        ("", picture(1), "drop it on a class"),
        ("../cat", picture(1), "cannot be called"),
        ("", pack_link(), "a link"),
        ("", pack({"../a.png": picture(1)}), "leads out"),
        ("x" * 300, picture(1), "label"),
        ("cat", bytes(1_000_001), "too large"),
    ],
)
def test_what_is_refused_is_one_sentence(
    client: TestClient, store: PictureStore, label: str, content: bytes, words: str
) -> None:
    answer = add(client, content, label)
    assert 400 <= answer.status_code < 500
    assert words in answer.json()["error"] and answer.json()["error"].endswith(".")
    assert str(store.folder) not in answer.text
    assert sorted(path.name for path in store.folder.iterdir()) == ["examples"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b'{"do": "explode"}', b'{"do": "rename-class", "name": "cat", "new_name": "SHIP"}',
             b'{"do": "rename-class", "name": "no", "new_name": "x"}', b'{"do": "start", "x": 1}', b'{"do": "start", "name": 5}'],
)  # fmt: skip
def test_a_change_that_is_none_is_one_sentence(client: TestClient, body: bytes) -> None:
    answer = client.post("/pictures/change", content=body)
    assert answer.status_code == 400 and answer.json()["error"].endswith(".")
    assert classes(client.get("/pictures")) == {"cat": 1, "ship": 1}


def test_who_has_no_cookie_is_told_so(client: TestClient) -> None:
    stranger = TestClient(client.app)
    assert "cookie" in add(stranger, picture(1), "cat").json()["error"]


def test_a_disk_that_is_away_for_a_moment_does_not_end_the_sweeps() -> None:
    end, sweeps = threading.Event(), []

    def sweep() -> int:
        sweeps.append(end.is_set())
        end.set()
        raise OSError(errno.EIO, "Input/output error")

    sweep_regularly(SimpleNamespace(sweep=sweep), end)  # type: ignore[arg-type]
    assert sweeps == [False]  # the error has ended nothing: the event has


def test_the_end_of_sets_is_looked_for_at_the_start(store: PictureStore) -> None:
    (store.folder / "half").mkdir(parents=True)
    end = threading.Event()
    end.set()
    sweep_regularly(store, end)
    assert list(store.folder.iterdir()) == []
