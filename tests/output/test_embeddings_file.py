"""Embeddings as files: refused early, written whole, and never beside the wrong model's name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecli.errors import OutputError, UsageError
from facecli.output.embeddings_file import EmbeddingsFile
from facecli.pipeline.results import ImageResult

HEADER: dict[str, Any] = {"recognizer": {"dim": 3, "models": [{"id": "new"}]}}


def collected(path: Path, rows: int = 2) -> EmbeddingsFile:
    target = EmbeddingsFile(path)
    embeddings = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    target.add(ImageResult("a.jpg", 9, 9, rows, tuple(range(rows)), detector_ran=False, embeddings=embeddings))
    return target


def test_a_path_that_can_not_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        EmbeddingsFile(tmp_path / "typo" / "x.npz")
    with pytest.raises(UsageError, match="can not write embeddings"):
        EmbeddingsFile(tmp_path / "x.pkl")
    EmbeddingsFile(tmp_path / "x.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x.NPZ", "x.Npy"])
def test_the_case_of_a_suffix_does_not_matter(tmp_path: Path, name: str) -> None:
    collected(tmp_path / name).write(HEADER)
    loaded = np.load(tmp_path / name, allow_pickle=False)
    assert (loaded if name == "x.Npy" else loaded["embedding"]).shape == (2, 3)


def test_the_notes_beside_a_matrix_have_its_hash(tmp_path: Path) -> None:
    collected(tmp_path / "x.npy").write(HEADER)
    notes = json.loads((tmp_path / "x.npy.json").read_text())
    assert notes["sha256"] == hashlib.sha256((tmp_path / "x.npy").read_bytes()).hexdigest()
    assert notes["rows"] == [{"source": "a.jpg", "face": 0}, {"source": "a.jpg", "face": 1}]
    assert {path.name for path in tmp_path.iterdir()} == {"x.npy", "x.npy.json"}


def test_a_full_disk_changes_neither_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collected(tmp_path / "x.npy").write(HEADER | {"old": True})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError("6 requested and 0 written")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OutputError, match=r"can not write .*x\.npy: 6 requested and 0 written"):
        collected(tmp_path / "x.npy", 5).write(HEADER)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_matrix_without_its_notes_can_be_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collected(tmp_path / "x.npy").write(HEADER)
    replace = Path.replace

    def fail_for_notes(self: Path, target: Path) -> Path:
        if target.suffix == ".json":
            raise OSError("gone")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_for_notes)
    with pytest.raises(OutputError):
        collected(tmp_path / "x.npy", 5).write(HEADER)
    notes = json.loads((tmp_path / "x.npy.json").read_text())
    assert notes["sha256"] != hashlib.sha256((tmp_path / "x.npy").read_bytes()).hexdigest()
