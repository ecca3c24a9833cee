"""The clients that docs/server.md shows, run as they stand there, against a server at another port."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def server(start_server):
    return start_server()


def shown(name: str, server) -> str:
    """The code of a client, with the address of the test's server."""
    text = (ROOT / "docs" / "server.md").read_text("utf-8")
    code = re.search(rf"<!-- client: {name} -->\n```\w+\n(.*?)```", text, re.DOTALL)[1]
    assert "http://127.0.0.1:8000" in code
    return code.replace("http://127.0.0.1:8000", server.address)


def run(command: list[str], code: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(command, input=code, capture_output=True, text=True, env=env, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def documents(text: str) -> list[dict[str, object]]:
    """The JSON documents that follow one another in a text."""
    found, decoder = [], json.JSONDecoder()
    while text.strip():
        document, end = decoder.raw_decode(text.strip())
        found.append(document)
        text = text.strip()[end:]
    return found


def test_curl_asks_and_enrolls(server):
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    found = documents(run(["bash", "-e"], shown("curl", server)))
    assert len(found) == 4
    detected, verified, enrolled, identified = found
    assert len(detected["images"][0]["faces"]) == 1
    assert verified["verified"] is False
    assert enrolled["person"]["person"] == "Eileen Collins"
    assert identified["images"][0]["faces"][0]["person"] == "Eileen Collins"


@pytest.mark.parametrize(
    ("name", "command"),
    [("python", [sys.executable, "-"]), ("javascript", ["node", "--input-type=module", "-"])],
)
def test_programs_ask(server, collins, name, command):
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    if not server.get("/v1/people").json()["people"]:
        server.post("/v1/people", data={"name": "Eileen Collins"}, files={"images": collins})
    assert re.fullmatch(r"Eileen Collins 0\.\d+", run(command, shown(name, server)).strip())
