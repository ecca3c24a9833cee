from __future__ import annotations

import csv
import io
import json
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


def test_embeddings_carry_their_model(run_cli: Callable, examples: Path) -> None:
    answer = run_cli("embed", examples / "hopper.jpg", examples / "collins.jpg", "--json").json
    assert answer["recognizer"]["dim"] == 128
    assert answer["recognizer"]["preprocessing_version"] >= 1
    assert len(answer["recognizer"]["models"][0]["files"][0]["sha256"]) == 64
    rows = [image["faces"][0]["embedding"] for image in answer["images"]]
    assert [len(row) for row in rows] == [128, 128]


def test_it_agrees_with_verify(run_cli: Callable, examples: Path) -> None:
    pair = (examples / "hopper.jpg", examples / "collins.jpg")
    a, b = (np.array(image["faces"][0]["embedding"]) for image in run_cli("embed", *pair, "--json").json["images"])
    distance = run_cli("verify", *pair, "--json").json["distance"]
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert 1 - cosine == pytest.approx(distance, abs=1e-4)


def test_files_hold_the_same_rows(run_cli: Callable, examples: Path, group_picture: Path, tmp_path: Path) -> None:
    inputs = (group_picture, examples / "hopper.jpg")
    answer = run_cli("embed", *inputs, "--json").json
    rows = np.array([face["embedding"] for image in answer["images"] for face in image["faces"]], np.float32)
    done = run_cli("embed", *inputs, "--json", "-o", tmp_path / "x.npz")
    assert "embedding" not in done.json["images"][0]["faces"][0]
    with np.load(tmp_path / "x.npz", allow_pickle=False) as file:
        np.testing.assert_allclose(file["embedding"], rows, atol=1e-5)
        assert file["source"].tolist() == [str(inputs[0])] * 6 + [str(inputs[1])]
        assert file["face"].tolist() == [0, 1, 2, 3, 4, 5, 0]
        assert file["bbox"].shape == (7, 4)
        assert json.loads(str(file["meta"]))["recognizer"] == answer["recognizer"]
    run_cli("embed", *inputs, "-o", tmp_path / "x.npy")
    np.testing.assert_allclose(np.load(tmp_path / "x.npy", allow_pickle=False), rows, atol=1e-5)
    beside = json.loads((tmp_path / "x.npy.json").read_text())
    assert beside["recognizer"] == answer["recognizer"]
    assert [row["face"] for row in beside["rows"]] == [0, 1, 2, 3, 4, 5, 0]


def test_parquet(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    run_cli("embed", examples / "hopper.jpg", "-o", tmp_path / "x.parquet")
    table = parquet.read_table(tmp_path / "x.parquet")
    assert len(table["embedding"][0].as_py()) == 128
    assert json.loads(table.schema.metadata[b"facecli"])["recognizer"]["plugin"] == "sface"


def test_a_file_that_can_not_be_written_is_told(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    assert run_cli("embed", examples / "hopper.jpg", "-o", tmp_path / "x.txt").returncode == 2
    refused = run_cli("embed", examples / "hopper.jpg", "-o", "/proc/x.npz")
    assert refused.returncode == 1
    assert "can not write" in refused.errors[0]


def test_no_face_fails_that_picture_alone(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((64, 64, 3), np.uint8))
    done = run_cli("embed", tmp_path / "a.png", examples / "hopper.jpg", "-f", "jsonl", "--require-face")
    assert done.returncode == 1
    assert [line["error"] and line["error"]["code"] for line in done.jsonl] == ["no_face", None]
    assert len(done.errors) == 1


def test_flip_changes_the_embedding_a_little(run_cli: Callable, examples: Path) -> None:
    picture = examples / "hopper.jpg"
    plain, flip = (
        np.array(run_cli("embed", picture, "--json", *options).json["images"][0]["faces"][0]["embedding"])
        for options in ((), ("--flip",))
    )
    assert 1e-3 < np.linalg.norm(plain - flip) / np.linalg.norm(plain) < 0.4


def test_csv_has_a_column_per_value(run_cli: Callable, examples: Path) -> None:
    done = run_cli("embed", "missing.jpg", examples / "hopper.jpg", "-f", "csv")
    failed, row = csv.DictReader(io.StringIO(done.stdout.decode()))
    assert list(row)[-128:] == [f"e{i}" for i in range(128)]
    assert (failed["error"], failed["e0"]) == ("input", "")
    assert all(float(row[name]) for name in ("x1", "l0x", "l4y", "e0", "e127"))
    assert (row["model"], len(row["sha256"]), row["preprocessing_version"]) == ("sface", 64, "1")


def test_a_crop_is_flagged_in_every_format(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    words = ("embed", examples / "hopper.jpg", "--no-detect", "-o", tmp_path / "x.npz")
    (row,) = csv.DictReader(io.StringIO(run_cli(*words, "-f", "csv").stdout.decode()))
    assert row["detected"] == "False"
    assert "e0" not in row
    assert "detected" in run_cli(*words, "-f", "table").stdout.decode()


def test_a_file_that_fails_at_the_end_is_told_in_the_one_document(
    run_cli: Callable, examples: Path, tmp_path: Path
) -> None:
    def little_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))

    env = {"PYTHONDONTWRITEBYTECODE": "1"}
    words = ("embed", examples / "hopper.jpg", "-o", tmp_path / "x.npz", "--json")
    done = run_cli(*words, env=env, preexec_fn=little_disk)
    assert done.returncode == 1
    assert len(done.json["images"]) == 1
    assert done.json["error"]["code"] == "output"
    assert len(done.errors) == 1
