from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from facecli import __version__
from facecli.contract import Bin
from facecli.errors import NoFaceError
from facecli.output import records
from facecli.output.rows import attribute_columns, csv_columns, csv_rows, embedding_columns, table_rows
from facecli.pipeline.results import AttributeRows, ImageResult
from facecli.types import Detections

FACES = Detections(
    np.float32([[1.234, 2, 3, 4], [5, 6, 7, 8]]),
    np.float32([0.98768, 0.5]),
    np.arange(20, dtype=np.float32).reshape(2, 5, 2),
)
RESULT = ImageResult("a.jpg", 10, 20, faces_found=5, indices=(1, 4), detections=FACES)


def answered(name: str, labels: Sequence[str], row: Sequence[float], floor: float = 0.0) -> AttributeRows:
    """The same answer for both faces."""
    return AttributeRows(name, tuple(labels), floor, np.float32([row, row]))


def test_header() -> None:
    assert records.header("detect", x=1) == {"schema": "facecli.detect/2", "version": __version__, "x": 1}


def test_a_picture_with_faces() -> None:
    rows = np.float32([[0.75, 0.25], [0.25, 0.75]])
    emotion = AttributeRows("emotion", ("happy", "sad"), 0.0, rows)
    record = records.image(replace(RESULT, attributes=(emotion,)))
    assert (record["source"], record["width"], record["height"], record["faces_found"]) == ("a.jpg", 10, 20, 5)
    first = record["faces"][0]
    assert first["index"] == 1
    assert first["bbox"] == [1.23, 2.0, 3.0, 4.0]
    assert first["score"] == 0.9877
    assert first["landmarks"][4] == [8.0, 9.0]
    assert first["emotion"] == {"label": "happy", "probabilities": {"happy": 0.75, "sad": 0.25}}
    assert record["faces"][1]["emotion"]["label"] == "sad"
    assert record["error"] is None


def test_a_picture_that_failed() -> None:
    record = records.image(ImageResult("a.jpg", error=NoFaceError("none", hint="try")))
    assert record["error"] == {"code": "no_face", "message": "none", "hint": "try"}
    assert record["faces"] == []
    assert csv_rows(record)[0]["error"] == "no_face"
    assert table_rows(record)[0]["error"] == "none"


def test_flat_rows_are_one_per_face() -> None:
    record = records.image(replace(RESULT, embeddings=np.float32([[0.5, 1], [2, 3]])), embeddings=True)
    rows = csv_rows(record)
    assert [row["face"] for row in rows] == [1, 4]
    assert rows[1]["e1"] == 3.0
    assert list(rows[0]) == [*csv_columns(), *embedding_columns(2)]
    assert (rows[0]["l0x"], rows[0]["l4y"], rows[0]["detected"]) == (0.0, 9.0, True)
    assert table_rows(record)[1]["embedding"] == "2 values: 2.000, 3.000, ..."


def test_a_table_tells_the_likeliest_label_and_its_probability() -> None:
    record = records.image(replace(RESULT, attributes=(answered("emotion", ("happy", "sad"), (0.25, 0.75)),)))
    assert table_rows(record)[0]["emotion"] == "sad 75%"
    shown = records.image(
        replace(RESULT, attributes=(answered("emotion", ("happy", "sad"), (0.25, 0.75)),)), labels=["happy"]
    )
    assert table_rows(shown)[0]["emotion"] == "sad (happy 25%)"
    assert csv_rows(record)[0] | {"emotion": "sad", "happy": 0.25, "sad": 0.75} == csv_rows(record)[0]


def test_embeddings_read_back_as_the_same_float32() -> None:
    row = np.random.default_rng(0).normal(size=1000).astype(np.float32) * np.float32(1e-3)
    assert (np.array(records.embedding(row), np.float32) == row).all()


def test_probabilities_restricted_still_tell_the_likeliest() -> None:
    row = np.float32([0.7, 0.2, 0.1])
    labels = ("happy", "sad", "angry")
    assert records.probabilities(labels, row)["probabilities"] == {"happy": 0.7, "sad": 0.2, "angry": 0.1}
    assert records.probabilities(labels, row, ["sad"]) == {"label": "happy", "probabilities": {"sad": 0.2}}
    assert records.probabilities(labels, row, ["male"])["probabilities"].keys() == set(labels)


def test_a_number_stands_alone_or_with_its_spread() -> None:
    plain = replace(RESULT, attributes=(answered("age", (), (31.5,)),))
    assert records.image(plain)["faces"][0]["age"] == {"value": 31.5}
    rows = np.float32([(0.25, 0.5, 0.25), (0, 0, 1)])
    known = AttributeRows("age", (), 0, rows, (Bin(0, 10), Bin(10, 20), Bin(20, 30, 24.0)))
    record = records.image(replace(RESULT, attributes=(known,)))
    first, second = (face["age"] for face in record["faces"])
    assert first == {"value": 14.75, "spread": 7.32, "low": 4.0, "high": 26.0}
    assert second == {"value": 24.0, "spread": 2.89, "low": 21.0, "high": 29.0}
    row, _ = csv_rows(record)
    assert list(row)[len(csv_columns()) :] == attribute_columns({"age": ()}, ["age"])
    assert [row[name] for name in ("age", "age spread", "age low", "age high")] == [14.75, 7.32, 4.0, 26.0]
    assert table_rows(record)[0]["age"] == "15 (4 to 26)"


def test_below_the_floor_the_label_is_null_and_the_probabilities_are_there() -> None:
    labels = ("happy", "sad", "angry")
    unsure, just = np.float32([0.375, 0.3125, 0.3125]), np.float32([0.5, 0.25, 0.25])
    told = records.probabilities(labels, unsure, None, 0.5)
    assert told == {"label": None, "probabilities": {"happy": 0.375, "sad": 0.3125, "angry": 0.3125}}
    assert records.probabilities(labels, just, None, 0.5)["label"] == "happy"
    assert records.probabilities(labels, unsure)["label"] == "happy"
    record = records.image(replace(RESULT, attributes=(answered("mood", labels, (0.375, 0.3125, 0.3125), 0.5),)))
    (row, _) = csv_rows(record)
    assert row["mood"] is None
    (row, _) = table_rows(record)
    assert row["mood"] == "unsure (happy 38%, sad 31%)"


def test_rows_of_several_attributes_say_whose_each_label_is() -> None:
    answers = tuple(answered(name, ("a", "b"), (1, 0)) for name in ("mood", "light"))
    (row, _) = csv_rows(records.image(replace(RESULT, attributes=answers)))
    columns = attribute_columns({"mood": ["a", "b"], "light": ["a", "b"]})
    assert columns == ["mood", "mood a", "mood b", "light", "light a", "light b"]
    assert list(row) == [*csv_columns(), *columns]


def test_rows_flag_a_picture_that_was_taken_for_the_face() -> None:
    record = records.image(ImageResult("a.jpg", 10, 20, indices=(0,), detector_ran=False))
    assert csv_rows(record)[0]["detected"] is False
    assert table_rows(record)[0]["detected"] is False
    assert "detected" not in table_rows(records.image(RESULT))[0]


def test_an_embedding_of_several_files_carries_them_all() -> None:
    files = [{"name": "x", "sha256": "aa"}, {"name": "y", "sha256": "bb"}]
    recognizer = {"plugin": "p", "models": [{"id": "m", "files": files}], "preprocessing_version": 2}
    assert records.identity(recognizer) == {"model": "m", "sha256": "aa bb", "preprocessing_version": 2}
    assert records.identity(recognizer | {"models": []})["model"] == "p"
