"""Stored embeddings are compared as their pictures would be; those of other models and damaged files are refused."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def stored(run_cli: Callable, examples: Path, tmp_path: Path) -> Callable[..., Path]:
    def embed(name: str, *args: str) -> Path:
        file = tmp_path / name
        done = run_cli("embed", *args, "-o", file, cwd=examples)
        assert done.returncode == 0, done.stderr
        return file

    return embed


def test_pairs_have_the_distances_of_verify(run_cli: Callable, stored: Callable, examples: Path) -> None:
    one, all_of_them = stored("one.npz", "collins.jpg"), stored("all.npz", ".")
    document = run_cli("compare", one, all_of_them, "--json").json
    pair = run_cli("verify", "collins.jpg", "hopper.jpg", "--json", cwd=examples).json
    assert [pair["verified"] for pair in document["pairs"]] == [True, True, False]
    assert document["pairs"][2]["distance"] == pytest.approx(pair["distance"], abs=1e-5)
    for key in ("metric", "threshold", "threshold_source", "detector"):
        assert document[key] == pair[key]
    assert document["pairs"][1]["b"]["source"].endswith("collins_variant.jpg")
    done = run_cli("compare", one, all_of_them, "--matches", "--threshold", "0.01", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout.decode()))
    assert (row["verified"], row["threshold"]) == ("True", "0.01")
    assert run_cli("compare", one, stored("hopper.npz", "hopper.jpg"), "--exit-code").returncode == 3


def test_embeddings_that_were_made_otherwise_are_refused(run_cli: Callable, stored: Callable) -> None:
    own = stored("own.npz", "collins.jpg")
    for other, differing in (
        (stored("dlib.npz", "collins.jpg", "--recognizer", "dlib-resnet"), "recognizer"),
        (stored("flip.npz", "collins.jpg", "--flip"), "parameters"),
        (stored("mtcnn.npz", "collins.jpg", "--detector", "mtcnn"), "detector"),
    ):
        done = run_cli("compare", own, other)
        assert done.returncode == 2
        (line,) = done.errors
        assert "they differ in" in line and differing in line
        assert "--recognizer sface --detector yunet" in line


def rewritten(file: Path, **arrays: Any) -> Path:
    kept = dict(np.load(file))
    np.savez(file, **(kept | arrays))
    return file


def test_a_threshold_of_another_version_of_the_model_is_not_taken(run_cli: Callable, stored: Callable) -> None:
    file = stored("own.npz", "collins.jpg")
    header = json.loads(str(np.load(file)["meta"]))
    header["recognizer"]["models"][0]["files"][0]["sha256"] = "0" * 64
    rewritten(file, meta=np.array(json.dumps(header)))
    refused = run_cli("compare", file, file)
    assert refused.returncode == 2
    assert "another version of sface" in refused.errors[0]
    assert run_cli("compare", file, file, "--threshold", "0.5").returncode == 0


def test_a_file_that_is_no_store_is_refused_in_one_line(run_cli: Callable, stored: Callable, tmp_path: Path) -> None:
    good = stored("good.npz", "collins.jpg")
    broken = {name: tmp_path / f"{name}.npz" for name in ("text", "missing", "objects", "claims", "compressed", "nan")}
    broken["text"].write_text("no zip")
    arrays = dict(np.load(good))
    np.savez(broken["objects"], **(arrays | {"source": np.array([{}], object)}))
    np.savez_compressed(broken["compressed"], **arrays)
    np.savez(broken["nan"], **(arrays | {"embedding": np.full((1, 128), np.nan, np.float32)}))
    with zipfile.ZipFile(good) as whole, zipfile.ZipFile(broken["claims"], "w") as spoilt:
        for name in whole.namelist():
            data = whole.read(name)
            spoilt.writestr(name, data.replace(b"(1, 128)", b"(9999999, 9999999)") if "embed" in name else data)
    for name, file in broken.items():
        done = run_cli("compare", good, file)
        assert (done.returncode, len(done.errors)) == (1, 1), name
        assert str(file) in done.errors[0]
    large = run_cli("compare", good, good, "--max-bytes", "10")
    assert large.returncode == 1
    assert "raise --max-bytes" in large.errors[0]
