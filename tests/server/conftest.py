"""A real server in a process of its own, and what asks it over HTTP."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests


class Client:
    """Asks one server; a path is enough, and no proxy is between."""

    def __init__(self, address: str, errors: Path, process: subprocess.Popen[bytes]) -> None:
        self.address, self.errors, self.process = address, errors, process
        self.session = requests.Session()
        self.session.trust_env = False

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self.address + path, timeout=60, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self("GET", path, **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        return self("POST", path, **more)


@pytest.fixture(scope="session")
def start_server(cli_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Client]]:
    """Start `facecli serve` with further options, and give what asks it; all servers end with the session."""
    for name in ("fastapi", "python_multipart", "uvicorn", "websockets"):
        pytest.importorskip(name, reason="a server needs facecli[serve]")
    running: list[subprocess.Popen[bytes]] = []

    def start(*options: str, env: dict[str, str] | None = None) -> Client:
        folder = tmp_path_factory.mktemp("server")
        errors = folder / "errors.txt"
        gallery = () if {"--gallery", "--dataset"} & set(options) else ("--gallery", str(folder / "people.db"))
        command = [
            sys.executable,
            "-m",
            "facecli",
            "serve",
            "--port",
            "0",
            "--threads",
            "1",
            "--seconds",
            "600",
            *gallery,
            *options,
        ]
        with errors.open("wb") as stream:
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=stream, env=cli_env | (env or {}), cwd=folder
            )
        running.append(process)
        while process.poll() is None:
            if found := re.search(r"listening on (http://\S+)", errors.read_text()):
                client = Client(found[1], errors, process)
                client.get("/v1/health")  # the address is told when it can be connected to
                return client
        raise AssertionError(errors.read_text())

    yield start
    for process in running:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def server(start_server: Callable[..., Client]) -> Client:
    """A server without keys, for tests that leave its gallery empty."""
    return start_server()
