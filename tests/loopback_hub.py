"""A Hugging Face Hub on this machine, for the real client to talk to: HEAD, GET, Range, ETag, error codes, uploads.

    with LoopbackHub() as hub:
        hub.add("user/name", "model.safetensors", content)

`faults` make it behave badly: see Fault.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "a" * 40
RESOLVE = re.compile(r"/(?P<data>datasets/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")


class Fault(Enum):
    """How a file is served wrongly."""

    SLOW = auto()  # a byte a second, for ever
    SHORT = auto()  # fewer bytes than HEAD promised, and honest about it in GET
    BROKEN = auto()  # the connection ends in the middle; a Range request gets the rest
    CORRUPTED = auto()  # one byte differs
    GATED = auto()
    PRIVATE = auto()  # as the Hub answers for repositories that do not exist, too
    DOWN = auto()  # 503


class LoopbackHub:
    """The server; `url` is its HF_ENDPOINT, `requests` what it was asked."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}  # ("user/name" or "datasets/user/name", path)
        self.faults: dict[tuple[str, str], Fault] = {}
        self.requests: list[str] = []
        self.created: list[str] = []
        self.uploads: dict[str, bytes] = {}
        self.closed = threading.Event()
        hub = self

        class Handler(_Handler):
            loopback = hub

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> LoopbackHub:
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def add(self, repository: str, file: str, content: bytes, fault: Fault | None = None) -> None:
        """Serve a file, from now on and perhaps wrongly."""
        self.files[repository, file] = content
        if fault is not None:
            self.faults[repository, file] = fault


class _Handler(BaseHTTPRequestHandler):
    loopback: LoopbackHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.serve(with_body=False)

    def do_GET(self) -> None:
        if self.path.startswith("/api/whoami"):
            self.answer_json({"name": "user", "type": "user", "auth": {"accessToken": {"role": "write"}}})
        else:
            self.serve(with_body=True)

    def refuse(self, status: int, code: str, message: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def serve(self, *, with_body: bool) -> None:
        hub = self.loopback
        hub.requests.append(f"{self.command} {self.path}")
        found = RESOLVE.fullmatch(self.path)
        if found is None:
            return self.refuse(404, "", "no such page")
        key = (found["data"] or "") + found["repo"], found["file"]
        fault, content = hub.faults.get(key), hub.files.get(key)
        if fault is Fault.GATED:
            return self.refuse(403, "GatedRepo", "Access to this repository is restricted.")
        if fault is Fault.DOWN:
            return self.refuse(503, "", "down")
        if fault is Fault.PRIVATE or not any(repository == key[0] for repository, _ in hub.files):
            return self.refuse(401, "RepoNotFound", "Repository not found")
        if content is None:
            return self.refuse(404, "EntryNotFound", "Entry not found")
        etag = hashlib.sha256(content).hexdigest()
        if fault is Fault.CORRUPTED:
            content = content[:-1] + bytes([content[-1] ^ 1])
        if with_body and fault is Fault.SHORT:
            content = content[: len(content) // 2]
        start = int(re.findall(r"\d+", self.headers.get("Range", "0"))[0])
        body = content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not with_body:
            return None
        if fault is Fault.SLOW:
            for byte in body:
                try:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                except OSError:
                    return None
                if hub.closed.wait(1):
                    return None
        elif fault is Fault.BROKEN and not start:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(body)
        return None

    # --- Uploads: create a repository, store large files, commit ---------------------------------------

    def body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer_json(self, value: Any, status: int = 200) -> None:
        encoded = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def do_PUT(self) -> None:
        self.loopback.uploads[self.path.rpartition("/")[2]] = self.body()
        self.answer_json({})

    def do_POST(self) -> None:
        hub, body = self.loopback, self.body()
        hub.requests.append(f"POST {self.path}")
        if self.headers.get("Authorization") != "Bearer hf_loopback":
            return self.refuse(401, "", "Invalid credentials")
        if self.path == "/api/repos/create":
            wanted = json.loads(body)
            name = f"{wanted.get('organization') or 'user'}/{wanted['name']}"
            hub.created.append(name)
            return self.answer_json({"url": f"{hub.url}/{name}"})
        if self.path.startswith("/api/validate-yaml"):
            return self.answer_json({"errors": [], "warnings": []})
        if found := re.fullmatch(r"/api/models/(.+)/preupload/main", self.path):
            files = json.loads(body)["files"]
            modes = [
                {"path": f["path"], "uploadMode": "lfs" if f["path"].endswith(".safetensors") else "regular"} for f in files
            ]
            return self.answer_json({"files": [{**mode, "shouldIgnore": False, "oid": None} for mode in modes]})
        if self.path.endswith(".git/info/lfs/objects/batch"):
            objects = json.loads(body)["objects"]
            return self.answer_json(
                {
                    "transfer": "basic",
                    "objects": [
                        {**o, "actions": {"upload": {"href": f"{hub.url}/upload/{o['oid']}", "header": {}}}} for o in objects
                    ],
                }
            )
        if found := re.fullmatch(r"/api/models/(.+)/commit/main", self.path):
            for line in body.splitlines():
                part = json.loads(line)
                if part["key"] == "file":
                    hub.files[found[1], part["value"]["path"]] = base64.b64decode(part["value"]["content"])
                elif part["key"] == "lfsFile":
                    hub.files[found[1], part["value"]["path"]] = hub.uploads[part["value"]["oid"]]
            url = f"{hub.url}/{found[1]}/commit/{COMMIT}"
            return self.answer_json({"commitOid": COMMIT, "commitUrl": url, "success": True})
        return self.refuse(404, "", "no such page")
