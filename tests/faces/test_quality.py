"""Quality of a good portrait and of its faults, and measures by name."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from facecli.faces import measures
from facecli.faces.pose import Pose
from facecli.faces.quality import Quality, measure
from facecli.types import Detections, Image

BBOX = (148, 93, 301, 290)  # of hopper.jpg
FRONT = Pose(0, 0, 0)


@pytest.fixture(scope="module")
def portrait(examples: Path) -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(examples / "hopper.jpg"))[:, :, ::-1])


def quality_of(pixels: np.ndarray, bbox: tuple[float, ...] = BBOX, pose: Pose | None = FRONT) -> Quality:
    faces = Detections(np.float32([bbox]), np.float32([0.9]))
    (found,) = measure(Image(pixels, "test"), faces, [pose])
    return found


def test_a_good_portrait_is_good(portrait: np.ndarray) -> None:
    found = quality_of(portrait)
    assert found.score == 1
    assert found.size == pytest.approx((153 * 197) ** 0.5)
    assert 0.25 < found.brightness < 0.75
    assert found.frontality == 1


def test_each_fault_lowers_its_own_number_and_the_score(portrait: np.ndarray) -> None:
    good = quality_of(portrait)
    blurred = quality_of(cv2.GaussianBlur(portrait, (0, 0), 8))
    assert blurred.sharpness < good.sharpness / 20
    assert blurred.score < 0.6
    assert blurred.brightness == pytest.approx(good.brightness, abs=0.02)
    dark, light = quality_of(portrait // 6), quality_of(255 - (255 - portrait) // 8)
    assert dark.brightness < 0.12 and dark.score < 0.4
    assert light.brightness > 0.9 and light.score < 0.3
    flat = quality_of((portrait // 8 + 100).astype(np.uint8))
    assert flat.contrast < good.contrast / 6
    assert flat.score < 0.3
    small = cv2.resize(portrait, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    far = quality_of(small, tuple(v / 5 for v in BBOX))
    assert far.size == pytest.approx(good.size / 5, rel=0.01)  # type: ignore[operator]
    assert far.score < 0.35


def test_sharpness_is_that_of_the_face_not_of_the_picture(portrait: np.ndarray) -> None:
    noisy = portrait.copy()
    _x1, y1, _x2, y2 = BBOX
    noise = np.random.default_rng(0).integers(0, 256, portrait.shape, np.uint8)
    noisy[: y1 - 60], noisy[y2 + 60 :] = noise[: y1 - 60], noise[y2 + 60 :]
    assert quality_of(noisy) == quality_of(portrait)


@pytest.mark.parametrize(
    ("pose", "frontality"),
    [
        (FRONT, 1),
        (Pose(0, 0, 80), 1),
        (Pose(60, 0, 0), 0.5),
        (Pose(-60, 0, 0), 0.5),
        (Pose(45, 45, 0), 0.5),
        (None, None),
    ],
)
def test_frontality(portrait: np.ndarray, pose: Pose | None, frontality: float | None) -> None:
    found = quality_of(portrait, pose=pose)
    assert found.frontality == (None if frontality is None else pytest.approx(frontality))
    assert found.score == pytest.approx(1 if frontality is None else frontality)


def test_a_face_seen_from_behind_or_a_box_outside_does_not_break_it(portrait: np.ndarray) -> None:
    assert quality_of(portrait, pose=Pose(90, 0, 0)).score == pytest.approx(0, abs=1e-9)
    outside = quality_of(portrait, (-500, -500, -400, -400))
    assert (outside.score, outside.sharpness, outside.brightness) == (0, 0, 0)
    assert quality_of(portrait, (10, 10, 5, 5)).size == 0


def test_measures_without_a_detection_or_landmarks(portrait: np.ndarray) -> None:
    image = Image(portrait, "test")
    (whole,) = measures.of_faces(image, None, ["quality"])
    assert whole["quality"]["size"] is None and whole["quality"]["frontality"] is None
    faces = Detections(np.float32([BBOX, BBOX]), np.float32([0.9, 0.8]))
    found = measures.of_faces(image, faces, ["pose", "quality"])
    assert [list(face) for face in found] == [["pose", "quality"]] * 2
    assert found[0]["pose"] == {"yaw": None, "pitch": None, "roll": None}
    assert measures.of_faces(image, Detections.empty(landmarks=True), ["pose", "quality"]) == []


def test_the_names_of_the_numbers_are_those_of_the_measures(portrait: np.ndarray) -> None:
    points = np.float32([[[187, 164], [262, 160], [229, 205], [198, 238], [263, 235]]])
    faces = Detections(np.float32([BBOX]), np.float32([0.9]), points)
    (face,) = measures.of_faces(Image(portrait, "test"), faces, list(measures.MEASURES))
    assert {name: tuple(parts) for name, parts in face.items()} == measures.MEASURES
    assert all(value is not None for parts in face.values() for value in parts.values())
