from __future__ import annotations

import json
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
    assert np.linalg.norm(a - b) == pytest.approx(distance, abs=1e-4)


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
    assert json.loads(table.schema.metadata[b"facecli"])["recognizer"]["plugin"] == "dlib-resnet"


def test_a_file_that_can_not_be_written_is_told(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    assert run_cli("embed", examples / "hopper.jpg", "-o", tmp_path / "x.txt").returncode == 2
    refused = run_cli("embed", examples / "hopper.jpg", "-o", "/proc/x.npz")
    assert refused.returncode == 1
    assert "can not write" in refused.errors[0]


def test_no_face_fails_that_picture_alone(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((64, 64, 3), np.uint8))
    done = run_cli("embed", tmp_path / "a.png", examples / "hopper.jpg", "-f", "jsonl")
    assert done.returncode == 1
    assert [line["error"] and line["error"]["code"] for line in done.jsonl] == ["no_face", None]
    assert len(done.errors) == 1


def test_flip_changes_the_embedding_a_little(run_cli: Callable, examples: Path) -> None:
    picture = examples / "hopper.jpg"
    plain, flip = (
        np.array(run_cli("embed", picture, "--json", *options).json["images"][0]["faces"][0]["embedding"])
        for options in ((), ("--flip",))
    )
    assert 1e-3 < np.linalg.norm(plain - flip) < 0.4


def test_csv_has_a_column_per_value(run_cli: Callable, examples: Path) -> None:
    head = run_cli("embed", examples / "hopper.jpg", "-f", "csv").stdout.decode().splitlines()[0].split(",")
    assert head[-128:] == [f"e{i}" for i in range(128)]
