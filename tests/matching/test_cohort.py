"""Cohort normalisation: by hand, as a distance, and what is refused."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from facecli.contract import Cohort
from facecli.errors import ModelError
from facecli.matching import cohort
from facecli.matching.closest import closest_pair
from facecli.matching.metrics import distance, pairwise
from facecli.types import FloatArray


def faces(count: int, seed: int, *, around: float = 0.0) -> FloatArray:
    """Embeddings of different people, of length 1; around: how much they have in common."""
    rows = np.random.default_rng(seed).normal(size=(count, 16))
    rows[:, 0] += around
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def saved(folder: Path, rows: FloatArray, top: int = 5) -> Cohort:
    path = folder / "strangers.npy"
    np.save(path, rows)
    return Cohort(sha256(path.read_bytes()).hexdigest(), top, path)


def test_the_score_is_that_of_the_papers(tmp_path: Path) -> None:
    strangers, (a, b) = faces(40, 0), faces(2, 1)

    def resemblance(face: FloatArray) -> float:
        return sum(sorted(float(face @ row) for row in strangers)[-5:]) / 5

    alike = float(a @ b)
    left, right = (cohort.templates(saved(tmp_path, strangers), face[None]) for face in (a, b))
    assert left.shape == (1, 17)
    expected = pytest.approx(1 - (alike - (resemblance(a) + resemblance(b)) / 2), abs=1e-5)
    assert distance(left, right, "cohort")[0] == expected
    assert pairwise(left, right, "cohort")[0, 0] == expected
    assert closest_pair(left, right, "cohort").similarity == pytest.approx(alike)


def test_one_threshold_means_the_same_for_people_who_resemble_each_other(tmp_path: Path) -> None:
    """The trouble in small: a group in which everybody is alike, and one in which nobody is."""
    strangers = saved(tmp_path, np.concatenate([faces(200, 0), faces(200, 1, around=4)]), top=50)

    def fmr(rows: FloatArray, metric: str, threshold: float) -> float:
        first, second = np.triu_indices(len(rows), 1)
        return float((distance(rows[first], rows[second], metric) <= threshold).mean())  # type: ignore[arg-type]

    few, many = faces(100, 2, around=4), faces(100, 3)
    assert fmr(few, "cosine", 0.4) > 30 * fmr(many, "cosine", 0.4)
    few, many = (cohort.templates(strangers, rows) for rows in (few, many))
    assert fmr(few, "cohort", 0.95) == pytest.approx(fmr(many, "cohort", 0.95), rel=0.5)
    assert fmr(many, "cohort", 0.95) > 0.01


def test_constants_are_of_one_face_and_length_does_not_count(tmp_path: Path) -> None:
    strangers, rows = saved(tmp_path, faces(40, 0)), faces(6, 1)
    together = cohort.templates(strangers, rows)
    assert together[2] == pytest.approx(cohort.templates(strangers, rows[2:3])[0])  # so it can be stored beside it
    longer = cohort.templates(strangers, rows * np.float32(7))
    assert distance(together[:3], longer[3:], "cohort") == pytest.approx(distance(together[:3], together[3:], "cohort"))
    assert cohort.templates(strangers, rows[:0]).shape == (0, 17)


def test_a_row_may_be_the_mean_of_several_strangers(tmp_path: Path) -> None:
    """So that a file names nobody, and a face's similarity to such a row is the mean of those to its strangers."""
    several, rows = faces(6, 0), faces(2, 1)
    beside_mean = cohort.templates(saved(tmp_path, several.mean(axis=0, keepdims=True), top=1), rows)
    assert beside_mean == pytest.approx(cohort.templates(saved(tmp_path, several, top=6), rows), abs=1e-6)
    half = cohort.templates(saved(tmp_path, several.astype(np.float16), top=6), rows)
    assert half == pytest.approx(beside_mean, abs=1e-3)


def test_a_rule_without_a_cohort_leaves_embeddings_as_they_are() -> None:
    rows = faces(3, 0)
    assert cohort.templates(None, rows) is rows


def test_a_file_that_is_not_the_stated_one_is_refused(tmp_path: Path) -> None:
    strangers = saved(tmp_path, faces(40, 0))
    assert strangers.path is not None
    strangers.path.write_bytes(strangers.path.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match=r"strangers\.npy is damaged: .* is not the file"):
        cohort.templates(strangers, faces(1, 1))
    strangers.path.unlink()
    with pytest.raises(ModelError, match="can not be read: No such file"):
        cohort.templates(strangers, faces(1, 1))
    with pytest.raises(ModelError, match="cohort is not here"):
        cohort.templates(Cohort("0" * 64, 5), faces(1, 1))


@pytest.mark.parametrize(
    ("rows", "top"),
    [
        (np.array([{}], object), 2),  # a pickle, which is never opened
        (faces(5, 0), 6),
        (faces(5, 0), 0),
        (faces(5, 0)[0], 2),
        (faces(5, 0).astype(np.float64), 2),
        (np.full((5, 16), np.nan, np.float32), 2),
    ],
    ids=["pickle", "too few", "top of 0", "one axis", "float64", "nan"],
)
def test_what_is_no_cohort_is_refused(tmp_path: Path, rows: FloatArray, top: int) -> None:
    with pytest.raises(ModelError, match="no cohort"):
        cohort.templates(saved(tmp_path, rows, top), faces(1, 1))


def test_embeddings_of_another_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="embeddings of length 16, these have 8"):
        cohort.templates(saved(tmp_path, faces(40, 0)), faces(1, 1)[:, :8])
