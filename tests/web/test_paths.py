from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resnet_demo.errors import PictureError
from resnet_demo.web.paths import REFUSAL, allowed_file, picture_source, refuse_files


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    folder = tmp_path / "uploads"
    (folder / "0a1b").mkdir(parents=True)
    (folder / "0a1b" / "cat.png").write_bytes(b"a cat")
    (tmp_path / "secret.png").write_bytes(b"a secret")
    (tmp_path / "uploads-of-another-app").mkdir()
    (tmp_path / "uploads-of-another-app" / "cat.png").write_bytes(b"another cat")
    return folder


def test_an_upload_and_an_example_are_allowed(uploads: Path, tmp_path: Path) -> None:
    example = tmp_path / "secret.png"
    assert allowed_file(str(uploads / "0a1b" / "cat.png"), uploads, []) == (uploads / "0a1b" / "cat.png").resolve()
    assert allowed_file(str(example), uploads, [example]) == example


def test_an_upload_is_allowed_where_the_folder_is_named_through_a_link(uploads: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(uploads)
    wanted = (uploads / "0a1b" / "cat.png").resolve()
    assert allowed_file(str(tmp_path / "link" / "0a1b" / "cat.png"), tmp_path / "link", []) == wanted
    assert allowed_file(str(wanted), tmp_path / "link", []) == wanted


@pytest.mark.parametrize(
    "path",
    [
        "{tmp}/secret.png", "{tmp}/missing.png", "{uploads}/missing.png", "{uploads}/../secret.png", "{uploads}/0a1b/../../secret.png",
        "{uploads}/out.png", "{uploads}/outside/secret.png", "{uploads}/circle", "{tmp}/uploads-of-another-app/cat.png", "/dev/zero",
        "", ".", "secret.png", "file://{tmp}/secret.png", "http://127.0.0.1/cat.png", "a\0b", "\ud800", "x" * 5000,
    ],
)  # fmt: skip
def test_every_other_file_is_refused_in_one_sentence_whether_it_is_there_or_not(
    uploads: Path, tmp_path: Path, path: str
) -> None:
    (uploads / "out.png").symlink_to(tmp_path / "secret.png")
    (uploads / "outside").symlink_to(tmp_path)
    (uploads / "circle").symlink_to(uploads / "circle")
    with pytest.raises(PictureError) as raised:
        allowed_file(path.format(tmp=tmp_path, uploads=uploads), uploads, [])
    assert str(raised.value) == REFUSAL


def test_a_link_within_the_uploads_gives_the_file_it_leads_to(uploads: Path) -> None:
    (uploads / "same.png").symlink_to(uploads / "0a1b" / "cat.png")
    assert allowed_file(str(uploads / "same.png"), uploads, []).name == "cat.png"


MARK = {"_type": "gradio.FileData"}


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (None, None),
        ({"path": "/a", "url": None, "meta": MARK, "orig_name": "b"}, {"path": "/a"}),
        ({"path": "/a", "url": "http://127.0.0.1/file=/a", "meta": MARK}, {"path": "/a"}),
        ({"path": "/a", "url": "data:image/png;base64,AA", "meta": "?"}, {"url": "data:image/png;base64,AA"}),
        ({"url": "DATA:,x"}, {"url": "DATA:,x"}),
    ],
)
def test_only_the_path_or_the_data_url_of_a_picture_is_passed_on(value: Any, source: dict[str, str] | None) -> None:
    assert picture_source(value) == source


@pytest.mark.parametrize(
    "value", [5, "/etc/passwd", [], {}, {"path": 5}, {"url": "file:///a"}, {"url": "http://a/b"}, {"url": 5}]
)
def test_what_is_not_a_picture_is_refused(value: Any) -> None:
    with pytest.raises(PictureError, match="upload the picture"):
        picture_source(value)


def test_a_file_anywhere_in_another_value_is_refused() -> None:
    file = {"path": "/a", "meta": MARK}
    deep: Any = file
    for _ in range(50_000):
        deep = [deep]
    for value in (file, [1, {"run": [file]}], {"path": 5, "meta": None}, deep):
        with pytest.raises(PictureError, match="upload the picture"):
            refuse_files(value)
    for value in (None, 3, "text", {"path": "a run"}, {"meta": 1}, [{"depth": 8}, [None]]):
        refuse_files(value)
