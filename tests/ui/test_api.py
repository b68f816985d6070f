"""What the API says of itself: named, typed and described values, and code to copy that runs without the internet."""

from __future__ import annotations

import ast
import re
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from gradio_client import Client

from tests.ui.conftest import TEACHER, App, Watched
from tests.ui.laboratory import until

ENDPOINTS = [
    "/classify", "/start_run", "/run", "/stop_run", "/delete_run", "/pin_run", "/clear_runs", "/evaluate", "/inside", "/transfer",
]  # fmt: skip
PLACEHOLDER = re.compile(r"parameter_\d+|value_\d+|param_\d+|\d(st|nd|rd|th)")


def described(app: App) -> dict[str, Any]:
    """What the app says of its endpoints."""
    return dict(httpx.get(f"{app.url}gradio_api/info").json()["named_endpoints"])


def test_every_parameter_and_result_has_a_name_a_type_and_a_description(app: App) -> None:
    endpoints = described(app)
    assert list(endpoints) == ENDPOINTS
    for name, endpoint in endpoints.items():
        assert len(endpoint["description"]) > 20, name
        assert endpoint["parameters"] and endpoint["returns"], name
        for value in endpoint["parameters"] + endpoint["returns"]:
            assert value["label"] and not PLACEHOLDER.fullmatch(value["label"]), (name, value)
            assert len(value["python_type"]["description"]) > 10, (name, value)
            assert value["python_type"]["type"] not in ("", "Any"), (name, value)
        names = [parameter["parameter_name"] for parameter in endpoint["parameters"]]
        assert not [parameter for parameter in names if PLACEHOLDER.fullmatch(parameter)]
    picture, *others = endpoints["/classify"]["parameters"]
    assert (picture["parameter_name"], picture["python_type"]["type"]) == ("picture", "filepath")
    assert all(parameter["parameter_has_default"] for parameter in others)
    assert [parameter["parameter_name"] for parameter in endpoints["/start_run"]["parameters"]] == [
        "settings",
        "visitor",
        "token",
    ]
    assert endpoints["/start_run"]["parameters"][0]["parameter_has_default"] is False


def test_the_code_to_copy_runs_without_the_internet(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        assert address[0] in ("127.0.0.1", "::1"), f"{address} is on the internet"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    printed: dict[str, Any] = {}
    code = {name: endpoint["code_snippets"]["python"] for name, endpoint in described(app).items()}
    for name in ENDPOINTS:
        assert re.findall(r"https?://[^\"']+", code[name]) == [app.url.rstrip("/")]
        source = code[name]
        if name == "/delete_run":  # the one with an id to fill in, and the token: each of these scripts is another visitor
            run = printed["/start_run"]
            client = Client(app.url, verbose=False)
            client.predict(run, token=TEACHER, api_name="/stop_run")
            until(client, run, "stopped")
            source = source.replace("20260131-235959-3f9c01", run).replace('token=""', f'token="{TEACHER}"')
        if name == "/pin_run":  # the one that only the teacher may call
            source = source.replace('token=""', f'token="{TEACHER}"')
        capsys.readouterr()
        exec(source, {})
        text = capsys.readouterr().out.strip().splitlines()[-1]
        printed[name] = ast.literal_eval(text) if text[0] in "({[" else text
    prediction, report = printed["/classify"]
    assert prediction["label"] == report["answers"][0]["predictions"][0]["label"] == "cat"
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}", printed[name]) for name in ("/start_run", "/transfer"))
    (measured,) = printed["/evaluate"]
    assert (measured["model"], measured["data"], measured["images"], len(measured["confusion"])) == (
        "resnet20-cifar10", "bundled", 1000, 10,
    )  # fmt: skip
    assert printed["/inside"]["depth"] == 56 and "197 times as large" in printed["/inside"]["sentence"]
    assert printed["/run"]["state"]["id"] == printed["/start_run"]
    assert (printed["/stop_run"], printed["/delete_run"]) == ("nothing to stop", "deleted")
    assert printed["/pin_run"] == "nothing is shown to everyone"
    assert printed["/clear_runs"].startswith("No run was deleted")


@pytest.mark.browser
def test_the_api_page_shows_names_and_descriptions(app: App, visit: Callable[..., Watched]) -> None:
    watched = visit(app.url)
    page = watched.page
    page.get_by_text("Use via API").click()
    page.get_by_text("The stage whose map is shown first").first.wait_for()
    text = page.locator(".api-docs").inner_text()
    for words in ("picture", "A picture: handle_file", "The likeliest class", "The id of the new run", "top_k"):
        assert words in text
    assert not re.search(r"parameter_\d|value_\d|raw\.githubusercontent", text)
    # Gradio's own page asks for what this app does not have (an MCP server); no other host is asked.
    watched.errors[:] = [error for error in watched.errors if not re.search("404|403", error)]
