"""Head pose of a turned face of average shape, and of the average face of LFW."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.faces.pose import FACE_MM, Pose, estimate

degrees = st.floats(-50, 50)


def turned(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The face of average shape, turned, in mm: first up or down, then to the side, then in the image's plane."""
    y, p, r = (math.radians(v) for v in (-yaw, -pitch, roll))
    up = np.array([[1, 0, 0], [0, math.cos(p), -math.sin(p)], [0, math.sin(p), math.cos(p)]])
    aside = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    plane = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    return FACE_MM @ (plane @ aside @ up).T


def landmarks(points: np.ndarray, scale: float = 2.0) -> np.ndarray:
    return (points[None, :, :2] * scale + [300, 200]).astype(np.float32)


def pose_of(points: np.ndarray) -> Pose:
    (found,) = estimate(points.astype(np.float32))
    assert found is not None
    return found


def angles(pose: Pose) -> tuple[float, float, float]:
    return pose.yaw, pose.pitch, pose.roll


@given(degrees, degrees, st.floats(-170, 170), st.floats(0.2, 20))
def test_the_turn_of_a_face_seen_from_afar_is_found(yaw: float, pitch: float, roll: float, scale: float) -> None:
    assert angles(pose_of(landmarks(turned(yaw, pitch, roll), scale))) == pytest.approx((yaw, pitch, roll), abs=0.05)


@given(degrees, st.floats(-30, 30), st.floats(-40, 40))
def test_a_mirrored_face_looks_the_other_way(yaw: float, pitch: float, roll: float) -> None:
    points = landmarks(turned(yaw, pitch, roll))
    mirrored = points[:, [1, 0, 2, 4, 3]] * np.float32([-1, 1])
    assert angles(pose_of(mirrored)) == pytest.approx((-yaw, pitch, -roll), abs=0.05)


@given(st.floats(-40, 40), st.floats(-30, 30), st.floats(-90, 90))
def test_turning_the_picture_turns_only_the_roll(yaw: float, pitch: float, angle: float) -> None:
    before = pose_of(landmarks(turned(yaw, pitch, 0)))
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    after = pose_of(landmarks(turned(yaw, pitch, 0)) @ np.array([[c, s], [-s, c]]))
    assert angles(after) == pytest.approx((before.yaw, before.pitch, angle), abs=0.05)


def test_the_signs_are_as_documented() -> None:
    points = FACE_MM[None, :, :2].copy()
    points[0, 2] += [8, 0]  # the nose moves to the right
    assert pose_of(points).yaw > 10
    points = FACE_MM[None, :, :2].copy()
    points[0, 2] += [0, -8]
    assert pose_of(points).pitch > 10
    points = FACE_MM[None, :, :2].copy()
    points[0, 1] += [0, 8]  # a clockwise tilt lowers the right side
    points[0, 4] += [0, 8]
    assert pose_of(points).roll > 3


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (20, 0), (0, 15), (-35, 10)])
def test_nearness_of_the_camera_costs_little(yaw: float, pitch: float) -> None:
    """At 60 cm, where selfies are taken, perspective moves the estimate by less than two degrees."""
    points = turned(yaw, pitch, 0)
    near = points[:, :2] * 600 / (600 + points[:, 2:])
    found = pose_of(landmarks(np.column_stack([near, points[:, 2]])))
    assert (found.yaw, found.pitch) == pytest.approx((yaw, pitch), abs=2)


def test_points_that_span_no_face_have_no_pose() -> None:
    line = np.stack([np.arange(5), np.arange(5)], 1)
    assert estimate(np.float32([line, np.ones((5, 2))])) == [None, None]
    assert estimate(np.zeros((0, 5, 2), np.float32)) == []


def test_on_average_the_faces_of_lfw_look_at_the_camera() -> None:
    """The template that MTCNN's points have on average in LFW (see the catalogue's dlib-resnet) is a frontal face."""
    from facecli.models import catalogue

    crop = catalogue.load("dlib-resnet").crop
    assert crop is not None
    found = pose_of(np.float32([crop.template]))
    assert angles(found) == pytest.approx((0, 0, 0), abs=1.5)
