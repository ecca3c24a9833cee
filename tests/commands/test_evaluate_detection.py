from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FACE = [180, 60, 90, 115]  # of collins.jpg, by eye


@pytest.fixture
def truth(tmp_path: Path) -> Callable[..., Path]:
    """Write a ground truth."""

    def write(**pictures: Any) -> Path:
        path = tmp_path / "truth.json"
        path.write_text(json.dumps({name.replace("_jpg", ".jpg"): entry for name, entry in pictures.items()}))
        return path

    return write


def test_a_portrait_is_found(run_cli: Callable, examples: Path, truth: Callable) -> None:
    path = truth(collins_jpg={"boxes_xywh": [FACE, [0, 0, 5, 5]], "easy": [0], "medium": [0], "hard": [0, 1]})
    done = run_cli("evaluate-detection", "--root", examples, "--ground-truth", path, "--json")
    assert (done.returncode, done.errors) == (0, [])
    answer = done.json
    assert answer["schema"] == "facecli.evaluate-detection/1"
    assert answer["subsets"]["easy"]["average_precision"] == 1
    assert answer["subsets"]["hard"]["average_precision"] == 0.5
    assert answer["subsets"]["hard"]["faces"] == 2
    assert answer["subsets"]["easy"]["largest_found"] == answer["subsets"]["easy"]["smallest_found"] == FACE[2:]
    assert answer["subsets"]["easy"]["at_default"]["recall"] == 1
    words = ("--root", examples, "--ground-truth", path, "--detector", "mtcnn", "--json")
    three = run_cli("evaluate-detection", *words).json  # it has three thresholds, and not one
    assert three["subsets"]["easy"]["at_default"] is None
    assert (answer["pictures"], answer["failures"]) == (1, [])
    assert 0 < answer["ms_per_picture"] < answer["seconds"] * 1e3


def test_a_picture_that_can_not_be_read_has_its_faces_missed(
    run_cli: Callable, examples: Path, truth: Callable, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "collins.jpg").write_bytes((examples / "collins.jpg").read_bytes())
    path = truth(collins_jpg={"boxes_xywh": [FACE]}, empty_jpg={"boxes_xywh": [FACE]})
    absent = run_cli("evaluate-detection", "--root", root, "--ground-truth", path, "--detector", "haar")
    assert absent.returncode == 2
    assert f"names pictures that are not in {root}: empty.jpg" in absent.errors[0]
    (root / "empty.jpg").touch()
    done = run_cli("evaluate-detection", "--root", root, "--ground-truth", path, "--json", "--detector", "haar")
    assert done.returncode == 1
    assert len(done.errors) == 1
    assert [failure["error"]["code"] for failure in done.json["failures"]] == ["decode"]
    assert done.json["subsets"]["all"]["faces"] == 2
    assert done.json["subsets"]["all"]["average_precision"] == 0.5


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        (
            [[280, 160, 369, 373]],
            "collins.jpg: box 0 is from 280, 160 to 649, 533, the picture is 512x512 px; are these corners? a box is "
            "[x, y, width, height]",
        ),
        (
            [FACE, [1800, 600, 90, 115]],
            "collins.jpg: box 1 is from 1800, 600 to 1890, 715, the picture is 512x512 px; are they of this picture, "
            "turned upright by its EXIF orientation?",
        ),
        ([[-50, 60, 90, 115]], "box 0 is from -50, 60 to 40, 175, the picture is 512x512 px; are they of this picture"),
        (
            [[0.35, 0.12, 0.17, 0.22]],
            "box 0 is 0.17 wide and 0.22 high: nobody can find that face; are these parts of the picture's sides? "
            "boxes are in pixels",
        ),
    ],
    ids=["corners", "another picture", "left of it", "relative"],
)
def test_boxes_that_can_not_be_are_refused_with_the_likely_slip(
    run_cli: Callable, examples: Path, truth: Callable, boxes: list[list[float]], said: str
) -> None:
    path = truth(collins_jpg={"boxes_xywh": boxes})
    done = run_cli("evaluate-detection", "--root", examples, "--ground-truth", path, "--detector", "haar")
    assert (done.returncode, len(done.errors)) == (2, 1)
    assert said in done.errors[0]


def test_a_box_that_the_edge_cuts_is_none(run_cli: Callable, examples: Path, truth: Callable) -> None:
    path = truth(collins_jpg={"boxes_xywh": [FACE, [-3, -4, 60, 60], [470, 480, 46, 36]]})
    done = run_cli("evaluate-detection", "--root", examples, "--ground-truth", path, "--detector", "haar")
    assert done.returncode == 0, done.stderr


def test_a_picture_that_stands_twice_is_an_error(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    entry = '"collins.jpg": {"boxes_xywh": [[180, 60, 90, 115]]}'
    path.write_text(f"{{{entry}, {entry}}}")
    done = run_cli("evaluate-detection", "--root", examples, "--ground-truth", path)
    assert (done.returncode, len(done.errors)) == (2, 1)
    assert "'collins.jpg' stands there twice; join the two, or leave one out" in done.errors[0]


def test_table_and_csv_have_a_row_per_subset(run_cli: Callable, examples: Path, truth: Callable) -> None:
    path = truth(collins_jpg={"boxes_xywh": [FACE], "easy": [0], "medium": [0], "hard": [0]})
    done = run_cli("evaluate-detection", "--root", examples, "--ground-truth", path, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [row["subset"] for row in rows] == ["easy", "medium", "hard"]
    assert {row["AP"] for row in rows} == {"1.0"}
    assert rows[0]["largest found"] == "90x115"


@pytest.mark.parametrize("score", ["0", "1.5", "nan"])
def test_a_score_threshold_is_between_0_and_1(run_cli: Callable, examples: Path, truth: Callable, score: str) -> None:
    path = truth(collins_jpg={"boxes_xywh": [FACE]})
    command = ["evaluate-detection", "--root", examples, "--ground-truth", path, "--score-threshold", score]
    assert run_cli(*command).returncode == 2


@pytest.mark.parametrize("detector", ["mtcnn", "haar"])
def test_a_least_score_is_refused_where_a_detector_has_none(
    run_cli: Callable, examples: Path, truth: Callable, detector: str
) -> None:
    words = ("--root", examples, "--ground-truth", truth(collins_jpg={"boxes_xywh": [FACE]}), "--detector", detector)
    done = run_cli("evaluate-detection", *words, "--score-threshold", "0.5")
    assert (done.returncode, len(done.errors)) == (2, 1)
    assert f"{detector} has no least score" in done.errors[0]


def test_two_least_scores_that_differ_are_refused(run_cli: Callable, examples: Path, truth: Callable) -> None:
    command = ["evaluate-detection", "--root", examples, "--ground-truth", truth(collins_jpg={"boxes_xywh": [FACE]})]
    command += ["--detector", "yunet", "-p", "yunet.score_threshold=0.3", "--score-threshold"]
    done = run_cli(*command, "0.9")
    assert (done.returncode, len(done.errors)) == (2, 1)
    assert "--score-threshold is 0.9 and -p yunet.score_threshold is 0.3" in done.errors[0]


def test_the_own_threshold_is_judged_only_where_all_above_it_was_looked_for(
    run_cli: Callable, shared: Path, examples: Path, truth: Callable
) -> None:
    """yunet's is 0.75."""
    env = {"FACECLI_MODELS_MIRROR": str(shared / "models"), "FACECLI_OFFLINE": "1"}
    command = ["evaluate-detection", "--root", examples, "--ground-truth", truth(collins_jpg={"boxes_xywh": [FACE]})]
    command += ["--detector", "yunet", "--json"]
    own, same = ("--score-threshold", "0.75"), ("-p", "yunet.score_threshold=0.750")
    for words in ((), own, same, (*own, *same)):
        judged = run_cli(*command, *words, env=env).json["subsets"]["all"]
        assert (judged["at_default"]["threshold"], judged["at_default"]["recall"]) == (0.75, 1)
    for words in (("--score-threshold", "0.76"), ("-p", "yunet.score_threshold=0.76")):
        judged = run_cli(*command, *words, env=env).json["subsets"]["all"]
        assert (judged["at_default"], judged["largest_found"]) == (None, FACE[2:])
    row = run_cli(*command[:-1], "--score-threshold", "0.76", "--format", "csv", env=env)
    assert next(csv.DictReader(io.StringIO(row.stdout.decode())))["default threshold"] == ""


def test_a_face_that_nobody_can_find_is_refused(run_cli: Callable, examples: Path, truth: Callable) -> None:
    path = truth(collins_jpg={"boxes_xywh": [FACE, [10, 10, -5, 5]]})
    done = run_cli("evaluate-detection", "--root", examples, "--ground-truth", path)
    assert (done.returncode, len(done.errors)) == (2, 1)
    assert "truth.json, collins.jpg: box 1" in done.errors[0]


def test_wider_pictures_with_scrfd(run_cli: Callable, shared: Path, tmp_path: Path) -> None:
    """A tenth of wider_dev; the score threshold of the command counts, and the user's comes after it."""
    with zipfile.ZipFile(shared / "data" / "wider_dev.zip") as archive:
        archive.extractall(tmp_path)
    truth = json.loads((tmp_path / "ground_truth.json").read_text())
    some = tmp_path / "some.json"
    some.write_text(json.dumps({name: truth[name] for name in sorted(truth)[::10]}))
    env = {"FACECLI_MODELS_MIRROR": str(shared / "models"), "FACECLI_OFFLINE": "1"} | {"FACECLI_ACCEPT_LICENSE": "1"}
    command = ["evaluate-detection", "--root", tmp_path, "--ground-truth", some, "--detector", "scrfd", "--json"]
    loose = run_cli(*command, env=env).json
    assert loose["detector"]["parameters"]["score_threshold"] == 0.02
    assert [model["id"] for model in loose["detector"]["models"]] == ["scrfd/500m"]
    assert loose["subsets"]["easy"]["average_precision"] > 0.85
    assert loose["subsets"]["hard"]["average_precision"] > 0.5
    strict = run_cli(*command, "-p", "scrfd.score_threshold=0.5", env=env).json
    assert strict["detector"]["parameters"]["score_threshold"] == 0.5
    assert strict["detections"] < loose["detections"]
    for subset in ("easy", "medium", "hard"):
        assert strict["subsets"][subset]["at_default"] == loose["subsets"][subset]["at_default"]
        assert strict["subsets"][subset]["average_precision"] < loose["subsets"][subset]["average_precision"] + 0.01
