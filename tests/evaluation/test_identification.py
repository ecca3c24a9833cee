from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facecli.errors import InputError, UsageError
from facecli.evaluation import det, enrolled
from facecli.evaluation.enrolled import Shown
from facecli.evaluation.identification import Person, Plan, evaluate
from facecli.evaluation.people_rate import people_rate
from facecli.evaluation.rates import Rate
from facecli.matching.stored import StoredEmbeddings
from facecli.pipeline.results import ImageResult

DIM = 32


def crowd(people: int, each: int, spread: float = 0.5, seed: int = 0) -> dict[str, Person]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(people, 1, DIM)) + spread * rng.normal(size=(people, each, DIM))
    return {f"{seed}/{number}": Person(own.astype(np.float32)) for number, own in enumerate(rows)}


def test_people_who_are_far_apart_are_found_and_strangers_are_not() -> None:
    found = evaluate(crowd(30, 6, spread=0.1), crowd(40, 3, seed=1), Plan(3, 4))
    assert (found.enrolled, found.mated, found.non_mated) == (30, 30 * 3 * 4, 40 * 3 * 4)
    assert (found.searchers, found.strangers) == (30, 40)
    assert found.rank_one is not None
    assert found.rank_one.value == 1
    assert [at.fnir.value for at in found.at_fpir if at.fnir] == [0, 0, 0]
    for at in found.at_fpir:
        assert at.fpir is not None
        assert at.fpir.value <= at.wanted
    assert found.at_fpir[0].fpir.value == pytest.approx(0.1, abs=0.01)


def test_rates_are_those_of_a_count_by_hand() -> None:
    people, strangers = crowd(25, 5, spread=0.9), crowd(60, 1, spread=0.9, seed=1)
    found = evaluate(people, strangers, Plan(4, 1))
    for point in found.det:
        assert 0 < point.fpir <= 1
        assert 0 <= point.fnir <= 1
    fpirs, fnirs = [point.fpir for point in found.det], [point.fnir for point in found.det]
    assert fpirs == sorted(fpirs)
    assert fnirs == sorted(fnirs, reverse=True)
    at = found.at_fpir[0]
    on_curve = [point for point in found.det if point.threshold <= at.threshold][-1]
    assert at.fpir.count == 6
    assert at.fnir.value <= on_curve.fnir
    assert 1 - found.rank_one.value <= at.fnir.value  # a threshold only takes away


def test_a_gallery_that_calibrates_itself_keeps_about_what_it_promised() -> None:
    found = evaluate(crowd(60, 8, spread=0.8), crowd(300, 1, spread=0.8, seed=1), Plan(5, 5))
    (tenth, third, _) = found.calibrated
    assert tenth.fpir.value == pytest.approx(0.1, abs=0.05)
    assert third.fpir.value < tenth.fpir.value
    small = evaluate(crowd(10, 8), crowd(50, 1, seed=1), Plan(5, 2)).calibrated[0]
    assert (small.threshold, small.fpir, small.note) == (None, None, "the gallery is too small to calibrate itself")


def test_pictures_without_a_face_are_misses_and_never_false_positives() -> None:
    people = crowd(20, 5, spread=0.1)
    failing = {name: Person(one.rows, failed=2) for name, one in people.items()}
    strangers = {"x": Person(np.zeros((0, DIM), np.float32), failed=100)} | crowd(10, 1, seed=1)
    found = evaluate(failing, strangers, Plan(3, 1))
    assert found.rank_one.value == 0.5
    assert found.non_mated == 110
    assert found.at_fpir[0].fnir.value == 0.5
    assert found.at_fpir[0].fpir.count == 10  # all others: 10 of 110 are less than a tenth


def test_without_strangers_some_people_are_left_out_in_turn() -> None:
    found = evaluate(crowd(25, 5), {}, Plan(3, 10))
    assert found.enrolled == 20
    assert 15 < found.strangers <= 25  # each of them is left out sooner or later
    assert found.non_mated == 10 * 5 * 5
    few = {"few": Person(crowd(1, 2, seed=3)["3/0"].rows)}
    assert evaluate(crowd(25, 5) | few, {}, Plan(3, 10)).strangers == 1
    with pytest.raises(UsageError, match="too few to enroll"):
        evaluate(crowd(5, 3), {}, Plan(3, 10))


def test_the_interval_is_over_people() -> None:
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(50), 20)
    alike = np.repeat(rng.random(50) < 0.1, 20)  # a person is always missed or never
    alone = rng.random(1000) < 0.1
    for hits, independent in ((alike, 50), (alone, 1000)):
        rate = people_rate(hits, people, 1000)
        low, high = Rate(round(rate.value * independent), independent).interval
        assert rate.interval[1] - rate.interval[0] == pytest.approx(high - low, rel=0.3)
    nothing = people_rate(np.zeros(1000, bool), people, 1000)
    assert nothing.interval == pytest.approx(Rate(0, 50).interval)
    assert people_rate(np.zeros(0, bool), np.zeros(0, np.int64), 0) is None


def test_who_a_folder_says_a_picture_shows(tmp_path: Path) -> None:
    for name in ("Ada/1.jpg", "Ada/more/2.jpg", "Grace/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    shown = enrolled.in_folder(tmp_path, strangers=False)
    assert sorted(one.person for one in shown) == ["Ada", "Ada", "Grace"]
    (tmp_path / "alone.jpg").touch()
    with pytest.raises(UsageError, match="nobody's folder"):
        enrolled.in_folder(tmp_path, strangers=False)
    assert "alone.jpg" in {one.person for one in enrolled.in_folder(tmp_path, strangers=True)}
    with pytest.raises(UsageError, match="is no folder"):
        enrolled.in_folder(tmp_path / "alone.jpg", strangers=True)


def test_stored_pictures_without_a_common_folder_are_refused(tmp_path: Path) -> None:
    rows = np.ones((2, DIM), np.float32)
    stored = StoredEmbeddings(tmp_path / "faces.npz", rows, ("people/Ada/1.jpg", "/people/Grace/1.jpg"), (0, 0), {})
    with pytest.raises(UsageError, match="no folder is common"):
        enrolled.in_file(stored, strangers=False)


def test_people_of_results() -> None:
    row = np.ones((1, DIM), np.float32)
    shown = [Shown("a", "Ada"), Shown("b", "Ada"), Shown("c", "Grace")]
    results = [ImageResult("a", embeddings=row), ImageResult("b", error=InputError("no")), ImageResult("c")]
    people = enrolled.people_in_results(shown, results)
    assert {name: (len(one.rows), one.failed) for name, one in people.items()} == {"Ada": (1, 1), "Grace": (0, 1)}


def test_the_curve_as_a_table(tmp_path: Path) -> None:
    found = evaluate(crowd(25, 5), {}, Plan(3, 2))
    det.write(tmp_path / "det.csv", found, "a title")
    lines = (tmp_path / "det.csv").read_text().splitlines()
    assert lines[0] == "threshold,fpir,fnir"
    assert len(lines) == len(found.det) + 1
