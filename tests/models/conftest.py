"""A server of files that can be cut, slow or wrong; and a plugin that has a model there."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from facecli.contract import ModelFile, ModelSpec
from facecli.models.arrival import transfer

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Served:
    """A file of the server and how it is served.

    cuts: after how many bytes each answer breaks off, the first answer first. statuses: what the first answers are
    instead. pause: seconds before each 64 KiB. ranges: whether Range is taken up. log: the headers of all requests.
    """

    content: bytes = CONTENT
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    ranges: bool = True
    shift: int = 0
    log: list[dict[str, str]] = field(default_factory=list)

    @property
    def asked_ranges(self) -> list[str | None]:
        """The Range of each request."""
        return [request.get("Range") for request in self.log]


class FileServer(ThreadingHTTPServer):
    """Serves `files` by their paths; `proxied` has the URLs that it was asked for as a proxy."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, Served] = {}
        self.proxied: list[str] = []

    def add(self, name: str, content: bytes = CONTENT, **how: Any) -> Served:
        """Serve a file under a name."""
        self.files[f"/{name}"] = Served(content, **how)
        return self.files[f"/{name}"]

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers GET as the file says."""

    protocol_version = "HTTP/1.1"
    server: FileServer

    def do_GET(self) -> None:
        path = self.path
        if path.startswith("http://"):
            self.server.proxied.append(path)
            path = re.sub("^http://[^/]+", "", path)
        file = self.server.files.get(path)
        if file is None:
            self.send_error(404)
            return
        file.log.append(dict(self.headers.items()))
        if file.statuses and (status := file.statuses.pop(0)) != 200:
            self.answer(status, {"Content-Length": "0", **file.headers})
            return
        self.send_file(file)

    def send_file(self, file: Served) -> None:
        tag = f'"{hashlib.md5(file.content).hexdigest()}"'
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) if file.ranges else None
        size = len(file.content)
        if asked and self.headers.get("If-Range", tag) == tag:
            start = int(asked[1])
            if start >= size:
                self.answer(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
                return
            told = {"Content-Range": f"bytes {start + file.shift}-{size - 1}/{size}"}
            self.answer(206, told | {"Content-Length": str(size - start), "ETag": tag, **file.headers})
        else:
            start = 0
            self.answer(200, {"Content-Length": str(size), "ETag": tag, **file.headers})
        end = start + file.cuts.pop(0) if file.cuts else size
        with suppress(OSError):
            for at in range(start, min(end, size), 2**16):
                time.sleep(file.pause)
                self.wfile.write(file.content[at : min(at + 2**16, end)])
        self.close_connection = end < size

    def answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def files() -> Iterator[FileServer]:
    """A server on 127.0.0.1 with no files yet."""
    with FileServer() as listening:
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield listening
        listening.shutdown()


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause before another try."""
    monkeypatch.setattr(transfer, "PAUSES", (0.0, 0.0, 0.0))


@pytest.fixture
def make_spec() -> Callable[..., ModelSpec]:
    """Make a ModelSpec with one file: pinned to CONTENT unless told otherwise."""

    def make(
        *urls: str,
        model_id: str = "acme/model",
        sha256: str | None = SHA256,
        size: int | None = len(CONTENT),
        packed: tuple[Any, ...] = (),
        name: str = "acme.pth",
        **fields: Any,
    ) -> ModelSpec:
        file = ModelFile(name, sha256, size, urls, packed=packed)
        facts = {"licence": "MIT", "commercial_use": True, "source": "here"}
        return ModelSpec(model_id, "detector", "", (file,), **facts | fields)

    return make


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Install a plugin whose detector `acme` has a model acme/model; returns the environment to run facecli in."""

    def install(
        *urls: str,
        sha256: str | None = SHA256,
        size: int | None = len(CONTENT),
        name: str = "acme.pth",
        **fields: Any,
    ) -> Any:
        site = tmp_path / "site"
        info = site / "acme-1.0.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[facecli.detectors]\nacme = acme\n")
        facts = {"licence": "MIT", "commercial_use": True, "source": "here", **fields}
        stated = {"name": name, "urls": urls, "sha256": sha256, "size": size, "facts": facts}
        (site / "acme.json").write_text(json.dumps(stated))
        (site / "acme.py").write_text(PLUGIN)
        return {"PYTHONPATH": str(site), "FACECLI_HOME": str(tmp_path / "home")}

    return install


PLUGIN = """
import json, pathlib
from facecli.contract import DetectorPlugin, ModelFile, ModelSpec, hookimpl

@hookimpl
def facecli_detectors():
    stated = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())
    file = ModelFile(stated["name"], stated["sha256"], stated["size"], tuple(stated["urls"]))
    model = ModelSpec("acme/model", "detector", "A model", (file,), **stated["facts"])
    load = lambda runtime, parameters: runtime.model_path("acme/model")
    yield DetectorPlugin("acme", "A detector", load, landmarks=False, models=(model,))
"""


@pytest.fixture
def left_in() -> Callable[[Path], list[str]]:
    """The names of the files in a store, sorted, but for stamps of files that packages carry."""

    def left(home: Path) -> list[str]:
        return sorted(path.name for path in home.rglob("*") if path.is_file() and path.parent.name != "carried")

    return left
