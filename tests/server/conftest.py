"""A real server in a process of its own, what asks it over HTTP, and a browser before a fake camera."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

CHROMIUM = os.environ.get("FACECLI_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream"),
    "--use-fake-device-for-media-stream",
)
SLOW = 120_000  # milliseconds; no test fails because a machine is slow


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


@pytest.fixture(scope="module")
def camera(examples, tmp_path_factory):
    """Make the file of a camera that sees one of the sample portraits, as MJPEG."""
    import cv2
    import numpy as np

    def make(name: str) -> Path:
        portrait = cv2.imread(str(examples / name))
        factor = 480 / portrait.shape[0]
        small = cv2.resize(portrait, (int(portrait.shape[1] * factor), 480), interpolation=cv2.INTER_AREA)
        frames, noise = [], np.random.default_rng(0)
        # As of a camera, no two pictures are the same; so many that a page's rhythm does not meet one again and again.
        for number in range(31):
            shift = (0, 4, 8, 4)[number % 4]
            frame = np.full((480, 640, 3), 90.0)
            left = max(0, (640 - small.shape[1]) // 2 + shift)
            part = small[:, : 640 - left]
            frame[:, left : left + part.shape[1]] = part
            frame += noise.normal(0, 2, frame.shape)
            frames.append(cv2.imencode(".jpg", frame.clip(0, 255).astype(np.uint8))[1].tobytes())
        path = tmp_path_factory.mktemp("camera") / f"{Path(name).stem}.mjpeg"
        path.write_bytes(b"".join(frames))
        return path

    return make


@pytest.fixture
def browser(server, camera):
    """Open the page in a browser whose camera sees a portrait; whatever is wrong in its console fails the test."""
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    opened, wrong = [], []
    with sync.sync_playwright() as playwright:

        def start(portrait: str, width: int = 1100, height: int = 800, scheme: str = "light", address: str = ""):
            address = address or server.address
            flags = [*FLAGS, f"--use-file-for-fake-video-capture={camera(portrait)}"]
            chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags, headless=True)
            opened.append(chromium)
            context = chromium.new_context(
                viewport={"width": width, "height": height},
                permissions=["camera"],
                color_scheme=scheme,
                base_url=address,
            )
            page = context.new_page()
            page.set_default_timeout(SLOW)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda one: _check_console(one, wrong))
            page.on("request", lambda one: _check_host(one.url, address, wrong))
            return page

        yield start
        for chromium in opened:
            chromium.close()
    assert wrong == []


def _check_console(message, wrong: list[str]) -> None:
    """Note an error, such as something that the policy of content forbids; answers that refuse are no errors."""
    if message.type == "error" and not message.text.startswith("Failed to load resource"):
        wrong.append(message.text)


def _check_host(url: str, address: str, wrong: list[str]) -> None:
    if not url.startswith((address, address.replace("http", "ws"), "blob:", "data:")):
        wrong.append(f"a request to {url}")


@pytest.fixture(scope="module")
def axe():
    """The source of axe-core, which looks for what keeps people from using a page."""
    path = Path(os.environ.get("FACECLI_WEB_RUNTIME", ""), "axe-core", "axe.min.js")
    if not path.is_file():
        pytest.skip("needs axe-core in the node_modules that FACECLI_WEB_RUNTIME names")
    return path.read_text("utf-8")
