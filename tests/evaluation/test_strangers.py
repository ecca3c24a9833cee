"""Pictures of different people: all compared with each other, in blocks, and only the closest kept."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecli.errors import UsageError
from facecli.evaluation import strangers
from facecli.evaluation.error_curve import at_fmr
from facecli.evaluation.labelled import LabelledFaces, PairsEvaluation
from facecli.evaluation.strangers import Stranger, compare, evaluate, listed, read
from facecli.matching.metrics import distance
from facecli.matching.thresholds import DecisionRule

RULE = DecisionRule("euclidean", 2.0, "a test")


@pytest.fixture
def rows() -> list[Any]:
    """Embeddings of 60 pictures, of which every tenth has two faces."""
    random = np.random.default_rng(0)
    return [random.normal(size=(2 if number % 10 == 0 else 1, 4)).astype(np.float32) for number in range(60)]


@pytest.mark.parametrize("block", [1, 7, 60, 256])
def test_every_pair_comes_once_with_the_distance_of_its_closest_faces(monkeypatch: Any, rows: Any, block: int) -> None:
    monkeypatch.setattr(strangers, "BLOCK", block)
    found = {(int(a), int(b)): d for places in compare(rows, "euclidean") for a, b, d in zip(*places, strict=True)}
    assert sorted(found) == list(combinations(range(60), 2))
    for (a, b), told in found.items():
        first, second = np.repeat(rows[a], len(rows[b]), axis=0), np.tile(rows[b], (len(rows[a]), 1))
        assert told == pytest.approx(distance(first, second, "euclidean").min(), abs=1e-9)


def evaluation(rows: Any, groups: Any, by: Any = (), failed: int = 0) -> PairsEvaluation:
    people = [Stranger(f"{number}.jpg", group) for number, group in enumerate(groups)]
    failures = [Stranger(f"gone{number}.jpg") for number in range(failed)]
    faces = LabelledFaces({one.picture: row for one, row in zip(people, rows, strict=True)}, (), 0)
    return evaluate([*failures, *people], faces, RULE, "center", by)


def test_the_rates_are_those_of_all_pairs(monkeypatch: Any, rows: Any) -> None:
    monkeypatch.setattr(strangers, "BLOCK", 16)
    found = evaluation(rows, [None] * 60, failed=2)
    every = np.sort(np.concatenate([d for _, _, d in compare(rows, "euclidean")]))
    rates = found.rates
    assert rates.fmr is not None and rates.far is not None
    assert (rates.fmr.count, rates.fmr.total) == (int((every <= 2).sum()), 60 * 59 // 2)
    assert rates.far.total == rates.accuracy.total == 62 * 61 // 2
    assert (rates.fnmr, rates.frr, rates.roc, rates.useful_threshold, found.groups) == (None, None, None, None, None)
    for point in rates.at_fmr:
        whole = at_fmr(every[:1], every, point.fmr)
        assert (point.threshold, point.false_matches, point.note) == (whole.threshold, whole.false_matches, whole.note)
        assert point.match_rate is None
    assert found.closest is not None
    assert [pair.distance for pair in found.closest] == every[:10].tolist()


def test_rates_within_groups(rows: Any) -> None:
    found = evaluation(rows, ["A", "B", None] * 20, by=["race"])
    assert found.groups is not None and found.rates.fmr is not None
    assert [group.fmr and group.fmr.total for group in found.groups.groups] == [190, 190]
    assert found.groups.without_group == (0, 60 * 59 // 2 - 380)
    by_hand = {
        name: sum(
            int(d <= 2) for a, b, d in zip(*next(compare(rows, "euclidean")), strict=True) if a % 3 == b % 3 == place
        )
        for place, name in enumerate("AB")
    }
    assert {group.name: group.fmr and group.fmr.count for group in found.groups.groups} == by_hand


def test_copies_of_one_person_are_the_closest_and_leave_no_threshold() -> None:
    rows = [np.ones((1, 4), np.float32)] * 20
    found = evaluation(rows, [None] * 20)
    assert found.closest is not None
    assert {pair.distance for pair in found.closest} == {0}
    assert [point.threshold for point in found.rates.at_fmr] == [None, None]
    assert "190 non-mated comparisons have no distance" in str(found.rates.at_fmr[0].note)


@pytest.mark.parametrize("count", [0, 1])
def test_without_two_faces_nothing_is_compared(rows: Any, count: int) -> None:
    found = evaluation(rows[:count], [None] * count, failed=2)
    assert (found.rates.fmr, found.closest, found.rates.accuracy.count) == (None, (), 0)


def test_a_list_has_a_column_file_and_those_of_its_groups() -> None:
    lines = ["file,race,sex\n", "a.jpg,A,f\n", "b.jpg,,m\n"]
    assert read(lines, "x.csv") == [Stranger("a.jpg"), Stranger("b.jpg")]
    assert read(lines, "x.csv", ["race", "sex"]) == [Stranger("a.jpg", "A f"), Stranger("b.jpg")]
    for wrong, told in (
        (["picture\n"], "no column file"),
        (["file\n", "../a.jpg\n"], "outside"),
        (["file,x\n", ",1\n"], "line 2 is not complete"),
        (["file\n", "a\n", "a\n"], "line 3: a was listed before"),
        (["file\n", '"a\n'], "is it a CSV file"),
    ):
        with pytest.raises(UsageError, match=told):
            read(wrong, "x.csv")
    with pytest.raises(UsageError, match="no column sex"):
        read(["file,race\n"], "x.csv", ["sex"])


def test_a_folder_is_listed_and_has_no_groups(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [Path(one.picture).name for one in listed(tmp_path, Path())] == ["a.jpg", "b.png"]
    with pytest.raises(UsageError, match="a folder, which has no columns"):
        listed(tmp_path, Path(), ["race"])
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(UsageError, match="has 1 picture, which make no pair"):
        listed(tmp_path, Path())
