"""MTCNN: pyramid, strips, batches and threads, on real portraits."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from facecli.contract import DetectorPlugin
from facecli.errors import UsageError
from facecli.geometry import overlap
from facecli.hosting.loader import make_runtime
from facecli.hosting.registry import Registry
from facecli.models.store import ModelStore
from facecli.plugins.detectors import mtcnn
from facecli.types import Image


def load(threads: int = 1, **parameters: object) -> mtcnn.Mtcnn:
    plugin = Registry().load("detectors", "mtcnn", DetectorPlugin)
    return plugin.load(make_runtime([plugin], ModelStore(), threads=threads), parameters)  # type: ignore[return-value]


def read(path: Path) -> Image:
    return Image(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), path.name)


def test_strips_give_the_faces_of_whole_levels(
    examples: Path, monkeypatch: pytest.MonkeyPatch, group_picture: Path
) -> None:
    detector = load()
    image = read(group_picture)
    (whole,) = detector.detect([image])
    monkeypatch.setattr(mtcnn, "STRIP_PIXELS", 20_000)
    (strips,) = detector.detect([image])
    assert len(whole) == 6
    np.testing.assert_allclose(strips.bboxes, whole.bboxes, atol=0.01)


def test_pictures_of_several_sizes_in_one_batch(examples: Path, group_picture: Path) -> None:
    detector = load()
    blank = Image(np.zeros((5, 300, 3), np.uint8), "blank")
    images = [blank, read(group_picture), read(examples / "hopper.jpg"), blank]
    found = detector.detect(images)
    assert [len(faces) for faces in found] == [0, 6, 1, 0]
    for image, faces in zip(images, found, strict=True):
        np.testing.assert_allclose(faces.bboxes, detector.detect([image])[0].bboxes, atol=0.01)
    assert detector.detect([]) == []


def test_a_very_large_picture_is_looked_at_in_a_smaller_size(
    group_picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its boxes and points are in its own px."""
    image, detector = read(group_picture), load()
    (whole,) = detector.detect([image])
    monkeypatch.setattr(mtcnn, "MOST_PIXELS", image.width * image.height // 2)
    monkeypatch.setattr(mtcnn, "TOGETHER", 1000)  # and each picture by itself
    small, again = detector.detect([image, image])
    assert len(small) == len(whole) == 6
    for box, points in zip(small.bboxes, small.landmarks, strict=True):
        nearest = overlap(box[None], whole.bboxes)[0].argmax()
        np.testing.assert_allclose(box, whole.bboxes[nearest], atol=12)
        np.testing.assert_allclose(points, whole.landmarks[nearest], atol=8)
    np.testing.assert_array_equal(small.bboxes, again.bboxes)


def test_threads_share_the_work_and_change_nothing(group_picture: Path) -> None:
    image = read(group_picture)
    (one,), (three,) = load().detect([image]), load(threads=3).detect([image])
    np.testing.assert_array_equal(one.bboxes, three.bboxes)
    np.testing.assert_array_equal(one.landmarks, three.landmarks)


def test_landmarks_are_where_the_eyes_are(examples: Path) -> None:
    (faces,) = load().detect([read(examples / "collins.jpg")])
    assert faces.landmarks is not None
    # read off the picture by eye, px
    by_eye = np.array([[205, 101], [248, 103], [225, 128], [203, 139], [245, 142]])
    assert np.abs(faces.landmarks[0] - by_eye).max() < 5


def test_min_face_size_thresholds_and_factor_have_an_effect(examples: Path, group_picture: Path) -> None:
    image = read(group_picture)
    assert len(load(min_face_size=200).detect([image])[0]) < 6
    assert len(load(thresholds=[0.6, 0.7, 0.9999999]).detect([image])[0]) < 6
    scales = load(min_face_size=24, factor=0.5).scales(200, 100)
    assert scales == [0.5, 0.25, 0.125]


@pytest.mark.parametrize(
    "bad", [{"factor": 0.99999}, {"min_face_size": float("nan")}, {"thresholds": [0.6]}, {"thresholds": [0.6, 0.7, 2]}]
)
def test_parameters_that_can_not_work_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="mtcnn can not work"):
        load(**bad)
