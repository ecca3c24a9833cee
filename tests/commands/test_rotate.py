"""--rotate auto: a portrait that lies on its side or stands on its head is compared as if it stood upright."""

from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest

DETECTORS = ("yunet", "mtcnn")


@pytest.fixture(scope="module")
def turned(examples, tmp_path_factory):
    """The portrait of Grace Hopper, turned against the clock by 90, 180 and 270 degrees: degrees -> file."""
    folder = tmp_path_factory.mktemp("turned")
    pixels = np.asarray(cv2.imread(str(examples / "hopper.jpg")))
    files = {}
    for degrees in (90, 180, 270):
        files[degrees] = folder / f"{degrees}.png"
        cv2.imwrite(str(files[degrees]), np.rot90(pixels, degrees // 90))
    return files


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_turned_portrait_is_the_same_person(run_cli, examples, turned, detector):
    options = ("--detector", detector, "--rotate", "auto", "--json")
    for degrees, file in turned.items():
        answer = run_cli("verify", examples / "hopper.jpg", file, *options).json
        assert answer["verified"]
        assert [image["rotated"] for image in answer["images"]] == [0, degrees]


def test_boxes_are_of_the_picture_as_it_came(run_cli, examples, turned, tmp_path):
    paths = [examples / "hopper.jpg", *turned.values()]
    drawn = tmp_path / "drawn"
    run = run_cli("detect", *paths, "--rotate", "auto", "--annotate", drawn, "--json")
    images = run.json["images"]
    assert [image["rotated"] for image in images] == [0, 90, 180, 270]
    assert [(image["width"], image["height"]) for image in images] == [(437, 512), (512, 437)] * 2
    boxes = [image["faces"][0]["bbox"] for image in images]
    eyes = [image["faces"][0]["landmarks"][0] for image in images]
    (x1, y1, x2, y2), (x, y) = boxes[0], eyes[0]
    # Turned against the clock a point (x, y) of w x h pixels comes to (y, w - x), and so on.
    expected = [[y1, 437 - x2, y2, 437 - x1], [437 - x2, 512 - y2, 437 - x1, 512 - y1], [512 - y2, x1, 512 - y1, x2]]
    np.testing.assert_allclose(boxes[1:], expected, atol=3)
    np.testing.assert_allclose(eyes[1:], [[y, 437 - x], [437 - x, 512 - y], [512 - y, x]], atol=3)
    sides = [cv2.imread(str(path)).shape[:2] for path in sorted(drawn.iterdir())]
    assert sorted(sides) == [(437, 512)] * 2 + [(512, 437)] * 2


def test_attributes_and_measures_are_of_the_face_as_it_stands_upright(run_cli, examples, turned):
    pictures = (examples / "hopper.jpg", turned[180])
    run = run_cli("analyze", *pictures, "--rotate", "auto", "--attributes", "emotion,pose,quality", "--json")
    upright, back = (image["faces"][0] for image in run.json["images"])
    assert back["emotion"]["label"] == upright["emotion"]["label"]
    assert back["pose"]["roll"] == pytest.approx(upright["pose"]["roll"], abs=3)


def test_a_csv_has_a_column_for_the_turn(run_cli, examples, turned):
    run = run_cli("embed", examples / "hopper.jpg", turned[90], "--rotate", "auto", "-f", "csv")
    rows = list(csv.DictReader(run.stdout.decode().splitlines()))
    assert [row["rotated"] for row in rows] == ["0", "90"]
    plain = run_cli("embed", examples / "hopper.jpg", "-f", "csv").stdout.decode().splitlines()[0]
    assert "rotated" not in plain


def test_what_excludes_it(run_cli, turned):
    done = run_cli("embed", turned[90], "--rotate", "auto", "--no-detect")
    assert (done.returncode, len(done.errors)) == (2, 1)
    assert "--rotate is about looking for faces, which --no-detect leaves out" in done.errors[0]


def test_the_hint_thinks_of_it(run_cli, turned):
    for options, hint in (
        ((), "try --rotate auto if it is turned or "),
        (("--rotate", "auto"), "try another --detector"),
    ):
        done = run_cli("embed", turned[90], "--detector", "yunet", "-p", "yunet.score_threshold=0.99", *options)
        assert done.returncode == 0
        assert hint in done.errors[0]
