from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from facecli.errors import UsageError
from facecli.evaluation import ground_truth


def written(folder: Path, document: Any) -> Path:
    path = folder / "truth.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_boxes_and_subsets(tmp_path: Path) -> None:
    entry = {"boxes_xywh": [[1, 2, 3, 4], [5, 6.5, 7, 8]], "easy": [], "medium": [1], "hard": [0, 1]}
    read = ground_truth.read(written(tmp_path, {"a/b.jpg": entry, "c.jpg": {"boxes_xywh": []}}))
    assert read["a/b.jpg"].boxes.tolist() == [[1, 2, 3, 4], [5, 6.5, 7, 8]]
    assert {name: own.tolist() for name, own in read["a/b.jpg"].subsets.items()} == {
        "easy": [],
        "medium": [1],
        "hard": [0, 1],
    }
    assert read["c.jpg"].boxes.shape == (0, 4)
    assert set(read["c.jpg"].subsets) == {"easy", "medium", "hard"}


def test_without_subsets_all_faces_count(tmp_path: Path) -> None:
    read = ground_truth.read(written(tmp_path, {"a.jpg": {"boxes_xywh": [[1, 2, 3, 4], [5, 6, 7, 8]]}}))
    assert {name: own.tolist() for name, own in read["a.jpg"].subsets.items()} == {"all": [0, 1]}


def test_a_box_without_area_may_stand_where_nothing_counts_it(tmp_path: Path) -> None:
    """WIDER FACE's lists have a few, and one of zeros alone where a picture has no faces."""
    nobody = {"boxes_xywh": [[0, 0, 0, 0]]}
    entry = {"boxes_xywh": [[1, 2, 3, 4], [5, 6, 0, 8]], "easy": [0], "medium": [0], "hard": [0]}
    read = ground_truth.read(written(tmp_path, {"a.jpg": entry, "b.jpg": nobody}))
    assert read["a.jpg"].boxes[1].tolist() == [5, 6, 0, 8]
    assert [len(own) for own in read["b.jpg"].subsets.values()] == [0, 0, 0]
    read = ground_truth.read(written(tmp_path, {"a.jpg": {"boxes_xywh": [[1, 2, 3, 4]]}, "b.jpg": nobody}))
    assert {name: len(own.subsets["all"]) for name, own in read.items()} == {"a.jpg": 1, "b.jpg": 0}


def test_wider_dev(shared: Path, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(shared / "data" / "wider_dev.zip") as archive:
        read = ground_truth.read(Path(archive.extract("ground_truth.json", tmp_path)))
    counts = {name: sum(len(own.subsets[name]) for own in read.values()) for name in ground_truth.SUBSETS}
    assert (len(read), counts) == (120, {"easy": 265, "medium": 432, "hard": 1571})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("not json", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ({}, "has no pictures"),
        ([], "has no pictures"),
        ({"a.jpg": []}, "a.jpg must have a list boxes_xywh of four numbers each"),
        ({"a.jpg": {}}, "a.jpg must have a list boxes_xywh"),
        ({"a.jpg": {"boxes_xywh": [[1, 2, 3]]}}, "a.jpg must have a list boxes_xywh"),
        ({"a.jpg": {"boxes_xywh": [[1, 2, 3, True]]}}, "a.jpg must have a list boxes_xywh"),
        ('{"a.jpg": {"boxes_xywh": [[1, 2, 3, NaN]]}}', "a.jpg must have a list boxes_xywh"),
        ({"a.jpg": {"boxes_xywh": [[1, 2, 3, 1e99]]}}, "a.jpg must have a list boxes_xywh"),
        ({"a.jpg": {"boxes_xywh": [[1, 2, 3, 4]], "hard": [1]}}, "hard must be a list of indices"),
        ({"a.jpg": {"boxes_xywh": [[1, 2, 3, 4]], "hard": [-1]}}, "hard must be a list of indices"),
        ({"a.jpg": {"boxes_xywh": [[1, 2, 3, 4]], "easy": "all"}}, "easy must be a list of indices"),
        ({"a.jpg": {"boxes_xywh": [[1, 2, 3, 4], [1, 2, 0, 4]]}}, "truth.json, a.jpg: box 1 .* 0 wide and 4 high"),
        ({"a.jpg": {"boxes_xywh": [[1, 2, 3, 0]]}}, "truth.json, a.jpg: box 0 .*; mend it, or leave it out"),
        ({"a.jpg": {"boxes_xywh": [[0, 0, 0, 0], [0, 0, 0, 0]]}}, "a.jpg: box 0"),
        ({"a.jpg": {"boxes_xywh": [[0, 0, 0, 0]], "hard": [0]}}, "a.jpg: box 0 .*; leave it out of easy, medium, hard"),
        ({"a.jpg": {"boxes_xywh": [[1, 2, -3, 4]], "hard": []}}, "a.jpg: box 0 is -3 wide .*; mend it"),
        ('{"a.jpg": {"boxes_xywh": [[1, 2, Infinity, 4]]}}', "a.jpg must have a list boxes_xywh"),
        ({"../a.jpg": {"boxes_xywh": []}}, "outside the root folder"),
        ({"/a.jpg": {"boxes_xywh": []}}, "outside the root folder"),
    ],
)
def test_what_can_not_be_read_is_refused_by_name(tmp_path: Path, document: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ground_truth.read(written(tmp_path, document))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can not read"):
        ground_truth.read(tmp_path / "missing.json")
