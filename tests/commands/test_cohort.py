"""The cohort of the default recognizer, through the command line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from facecli.models import catalogue
from facecli.models.entries.shipped import EMBEDDED

COLLINS, VARIANT, HOPPER = (f"{name}.jpg" for name in ("collins", "collins_variant", "hopper"))
COHORT = ("--operating-point", "cohort")


@pytest.fixture
def run(run_cli: Callable, examples: Path, tmp_path: Path) -> Callable:
    """The command line in the folder of the portraits, with a store of this test's own."""
    return lambda *args, **more: run_cli(*args, cwd=examples, env={"FACECLI_HOME": str(tmp_path / "home")}, **more)


def test_a_verification_says_beside_whom_it_compared(run: Callable) -> None:
    plain = run("verify", COLLINS, VARIANT, "--json").json
    same, other = (run("verify", COLLINS, name, *COHORT, "--json").json for name in (VARIANT, HOPPER))
    assert (same["verified"], other["verified"]) == (True, False)
    point = catalogue.load("sface").cohort_point
    assert same["metric"] == "cohort" and same["threshold"] == point.threshold
    assert same["cohort"] == {"sha256": point.cohort.sha256, "top": point.cohort.top}
    assert same["similarity"] == plain["similarity"]
    assert same["distance"] > plain["distance"]  # both faces resemble some stranger
    assert same["fmr"] == point.fmr and same["fmr_worst_group"] == point.fmr_worst_group
    assert "cohort" not in plain


def test_stored_embeddings_are_compared_alike(run: Callable, tmp_path: Path) -> None:
    """By `compare`, and by a program that keeps embeddings and has the formula of docs/explanation.md."""
    a, b = tmp_path / "a.npz", tmp_path / "b.npz"
    for name, file in ((COLLINS, a), (HOPPER, b)):
        assert run("embed", name, "-o", file).returncode == 0
    answer = run("verify", COLLINS, HOPPER, *COHORT, "--json").json
    stored = run("compare", a, b, *COHORT, "--json").json
    assert stored["cohort"] == answer["cohort"] and stored["threshold"] == answer["threshold"]
    assert stored["pairs"][0]["distance"] == pytest.approx(answer["distance"], abs=1e-4)
    cohort = catalogue.load("sface").cohort_point.cohort
    rows = np.load(cohort.path).astype(np.float64)
    faces = [np.load(file)["embedding"][0].astype(np.float64) for file in (a, b)]
    first, second = (face / np.linalg.norm(face) for face in faces)
    m_a, m_b = (np.sort(rows @ face)[-cohort.top :].mean() for face in (first, second))
    assert answer["distance"] == pytest.approx(1 - (first @ second - (m_a + m_b) / 2), abs=1e-4)


def test_one_picture_against_many(run: Callable) -> None:
    answer = run("verify", COLLINS, VARIANT, HOPPER, *COHORT, "--json").json
    assert [each["verified"] for each in answer["comparisons"]] == [True, False]
    assert answer["metric"] == "cohort" and answer["cohort"]["top"] == 25


def test_recognizers_without_a_cohort_say_so(run: Callable) -> None:
    failed = run("verify", COLLINS, VARIANT, *COHORT, "--recognizer", "dlib-resnet")
    assert failed.returncode == 2 and "dlib-resnet has no cohort" in failed.stderr.decode()
    failed = run("verify", COLLINS, VARIANT, *COHORT, "--flip")
    assert failed.returncode == 2 and "default parameters" in failed.stderr.decode()


def test_evaluate_and_calibrate_compare_beside_strangers(run: Callable, examples: Path, tmp_path: Path) -> None:
    pairs, rows = tmp_path / "pairs.csv", [f"{COLLINS},{VARIANT},1"]
    for copy in "abcd":
        shutil.copy(examples / HOPPER, tmp_path / f"{copy}.jpg")
        rows += [f"{name},{copy}.jpg,0" for name in (COLLINS, VARIANT)]
    for name in (COLLINS, VARIANT):
        shutil.copy(examples / name, tmp_path)
    pairs.write_text("\n".join(["file_a,file_b,same", *rows]) + "\n")
    measured = run("evaluate", pairs, "--root", tmp_path, *COHORT, "--json").json
    assert (measured["metric"], measured["fmr"]["value"], measured["fnmr"]["value"]) == ("cohort", 0, 0)
    strangers = run("evaluate", "--impostors", ".", *COHORT, "--json").json
    verified = run("verify", COLLINS, VARIANT, *COHORT, "--json").json
    assert strangers["closest"][0]["distance"] == pytest.approx(verified["distance"], abs=1e-4)
    kept = run("calibrate", pairs, "--root", tmp_path, "--fmr", "0.4", "--cohort", "--json").json
    assert kept["metric"] == "cohort" and kept["cohort"] == measured["cohort"] == verified["cohort"]
    used = run("verify", COLLINS, HOPPER, "--json").json
    assert (used["metric"], used["threshold"], used["cohort"]) == ("cohort", kept["threshold"], kept["cohort"])
    refused = run("calibrate", pairs, "--root", tmp_path, "--cohort", "--metric", "cosine")
    assert refused.returncode == 2 and "--cohort has a distance of its own" in refused.stderr.decode()


def test_the_file_names_nobody_and_is_verified(run: Callable) -> None:
    cohort = catalogue.load("sface").cohort_point.cohort
    assert cohort.path.parent == EMBEDDED and sha256(cohort.path.read_bytes()).hexdigest() == cohort.sha256
    rows = np.load(cohort.path).astype(np.float64)
    assert rows.shape == (512, 128)
    assert np.linalg.norm(rows, axis=1).max() < 0.9  # means: a template has length 1
    files = {file["file"]: file["state"] for file in run("models", "verify", "sface", "--json").json["files"]}
    assert files[cohort.path.name] == "ok"
