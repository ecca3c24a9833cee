"""Records of the store: what does not have their form is damaged, and never reaches a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facecli.models.disk import records

ENTRY = {"name": "x.onnx", "sha256": "a" * 64, "size": 3}
ORIGIN = {"facecli": "0.2.0", "sources": {"x.onnx": "https://example.org/x.onnx"}, "licence": "MIT"}


def content(**changes: object) -> bytes:
    return json.dumps({"model": "acme/model", "files": [ENTRY], "origin": ORIGIN, **changes}).encode()


def test_a_record_is_read(tmp_path: Path) -> None:
    assert records.parse(content())["files"] == [ENTRY]
    assert records.parse(content(origin={}))["origin"] == {}
    assert records.read(tmp_path / "none.json") == {}


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"3",
        b"\xff",
        b"[" * 100_000,
        content(files=None),
        content(files=[{**ENTRY, "size": -1}]),
        content(files=[{**ENTRY, "size": True}]),
        content(files=[{**ENTRY, "sha256": "../x"}]),
        content(origin=None),
        content(origin={**ORIGIN, "licence": -1}),
        content(origin={**ORIGIN, "facecli": None}),
        content(origin={**ORIGIN, "sources": ["x"]}),
        content(origin={**ORIGIN, "sources": {"x.onnx": 1}}),
    ],
)
def test_a_damaged_record_is_none(damaged: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        records.parse(damaged)
