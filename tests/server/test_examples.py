"""The unit of systemd and the Containerfile start a server with options that there are."""

from __future__ import annotations

import configparser
import json
import shlex

import pytest

from facecli.commands.serve import command


def options(words: list[str]) -> set[str]:
    return {word for word in words if word.startswith("--")}


@pytest.fixture(scope="module")
def known() -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}


def test_the_unit_starts_a_server(examples, known):
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read(examples / "serve" / "facecli.service")
    words = shlex.split(unit["Service"]["ExecStart"])
    assert words[1] == "serve"
    assert options(words) <= known
    assert "--host" not in words


def test_the_container_starts_a_server_behind_a_lock(examples, known):
    lines = (examples / "serve" / "Containerfile").read_text("utf-8").splitlines()
    parts = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    words = [*json.loads(parts["ENTRYPOINT"]), *json.loads(parts["CMD"])]
    assert words[1] == "serve"
    assert options(words) <= known
    assert "--keys" in words
    assert parts["USER"] == "facecli"
