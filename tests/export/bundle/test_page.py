"""A bundle's page, in headless Chromium: it decides as the command line does, tells what is wrong, asks nobody else.

It needs Chromium, and onnxruntime-web from npm in the node_modules folder that FACECLI_WEB_RUNTIME names.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import browser

ANSWER = "document.getElementById('answer')"
STATE = f"{ANSWER} && {ANSWER}.dataset.state"
DONE = f"['same', 'different', 'error'].includes({STATE}) && {STATE}"


class Static(SimpleHTTPRequestHandler):
    """Any static server; it notes what was asked for."""

    asked: list[str] = []  # noqa: RUF012 # of the class, for all requests

    def log_request(self, *_: object) -> None:
        """Note the path."""
        self.asked.append(self.path)


@pytest.fixture(scope="module")
def web_runtime() -> Path:
    """A node_modules folder with onnxruntime-web."""
    if browser.program() is None:
        pytest.skip("needs Chromium")
    folder = Path(os.environ.get("FACECLI_WEB_RUNTIME") or "nowhere")
    if not (folder / "onnxruntime-web" / "dist" / "ort.wasm.bundle.min.mjs").is_file():
        pytest.skip("needs onnxruntime-web: npm install it and name its node_modules in FACECLI_WEB_RUNTIME")
    return folder


@pytest.fixture(scope="module")
def tab(tmp_path_factory) -> Iterator[browser.Page]:
    """One Chromium for all of these tests."""
    with browser.chromium(tmp_path_factory.mktemp("profile"), "--window-size=1000,1000") as page:
        yield page


@pytest.fixture
def served(tmp_path) -> Iterator[tuple[str, Path]]:
    """An address, and the folder to put the bundle in."""
    Static.asked.clear()
    folder = tmp_path / "bundle"
    handler = functools.partial(Static, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/", folder
        listening.shutdown()


def opened(tab, address):
    tab.told.clear()
    tab.call("Page.navigate", url=address)
    return tab.wait_for(f"location.href == {address!r} && {STATE} && {STATE} != 'loading' && {STATE}")


def compared(tab, a, b):
    """Choose two pictures as a user does; the page's state, when it has one."""
    tab.choose_file("#a-file", a)
    tab.wait_for("!document.getElementById('a-told').textContent.endsWith('…')")
    tab.choose_file("#b-file", b)
    tab.wait_for(
        "document.getElementById('b-told').textContent && !document.getElementById('b-told').textContent.endsWith('…')"
    )
    return tab.wait_for(DONE)


def similarity(tab):
    return float(tab.evaluate(f"{ANSWER}.dataset.similarity"))


def text(tab, name):
    return tab.evaluate(f"document.getElementById({name!r}).textContent")


def test_page_decides_as_the_command_line_does(web_runtime, tab, served, run_cli, examples, tmp_path):
    address, folder = served
    made = run_cli("export", "--bundle", folder, "--web-runtime", web_runtime, "--json")
    assert made.returncode == 0, made.stderr
    assert made.json["bundle"]["web_runtime"] is True
    assert opened(tab, address) == "ready"
    for a, b in [("collins.jpg", "collins_variant.jpg"), ("hopper.jpg", "collins.jpg")]:
        wanted = run_cli("verify", examples / a, examples / b, "--json").json
        state = compared(tab, examples / a, examples / b)
        assert state == ("same" if wanted["verified"] else "different")
        assert similarity(tab) == pytest.approx(wanted["similarity"], abs=0.01)
        assert float(tab.evaluate(f"{ANSWER}.dataset.distance")) == pytest.approx(wanted["distance"], abs=0.02)
        tab.screenshot(tmp_path / f"{state}.png")

    # Another operating point is chosen by keyboard or mouse, and decides at once.
    point = json.loads((folder / "manifest.json").read_text())["recognizer"]["operating_point"]
    offered = [point["threshold"], *(threshold for _, threshold in point["by_fmr"])]
    assert tab.evaluate("document.getElementById('point').length") == len(offered)
    last = "(p => { p.selectedIndex = p.length - 1; p.dispatchEvent(new Event('change')); })"
    tab.evaluate(f"{last}(document.getElementById('point'))")
    assert float(text(tab, "threshold")) == pytest.approx(offered[-1])

    # What is no picture, and a picture without a face, are told beside that picture; nothing is compared.
    (tmp_path / "words.jpg").write_text("only words")
    assert compared(tab, tmp_path / "words.jpg", examples / "hopper.jpg") == "error"
    assert "not a picture" in text(tab, "a-told")
    assert tab.evaluate("document.querySelector('#a canvas').hidden") is True
    assert compared(tab, blank(tmp_path), examples / "hopper.jpg") == "error"
    assert "no face found" in text(tab, "a-told")
    assert text(tab, "verdict") == "No comparison"

    assert tab.told == []  # no error, and nothing that the content security policy refused
    assert {path.partition("?")[0] for path in Static.asked} <= {"/"} | {
        f"/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*") if path.is_file()
    }


def test_page_runs_graphs_with_everything_inside(web_runtime, tab, served, run_cli, shared, examples, tmp_path):
    pytest.importorskip("onnx")
    address, folder = served
    own = {"FACECLI_HOME": str(tmp_path / "home"), "FACECLI_MODELS_MIRROR": str(shared / "models")}
    chosen = ("--detector", "yunet", "--recognizer", "mobilefacenet")
    made = run_cli(
        *("export", "--bundle", folder, *chosen, "--embed-preprocessing", "--web-runtime", web_runtime), env=own
    )
    assert made.returncode == 0, made.stderr
    assert opened(tab, address) == "ready"
    wanted = run_cli("verify", *(examples / name for name in ("collins.jpg", "hopper.jpg")), *chosen, "--json", env=own)
    assert compared(tab, examples / "collins.jpg", examples / "hopper.jpg") == "different"
    assert similarity(tab) == pytest.approx(wanted.json["similarity"], abs=0.01)
    assert tab.told == []


def test_page_tells_what_is_missing_or_damaged(web_runtime, tab, served, run_cli):
    address, folder = served
    assert run_cli("export", "--bundle", folder, "--detector", "mtcnn").returncode == 0
    assert opened(tab, address) == "error"
    assert 'run "npm install" in this folder' in text(tab, "note")

    (folder / "node_modules").symlink_to(web_runtime)  # where npm install puts it
    assert opened(tab, address) == "ready"

    damaged = folder / "models" / "mtcnn_pnet.onnx"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert opened(tab, f"{address}index.html") == "error"
    assert "mtcnn_pnet.onnx is not the file that the manifest names" in text(tab, "note")


def blank(folder):
    import cv2
    import numpy as np

    path = folder / "blank.png"
    cv2.imwrite(str(path), np.full((300, 200, 3), 120, np.uint8))
    return path
