"""Boxes carried by the optical flow."""

from __future__ import annotations

import cv2
import numpy as np

from facecli.tracking.flow import Flow
from facecli.types import Detections, Image


def frame(shift, scale=1.0):
    """A random pattern, moved and grown about its corner."""
    pattern = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    large = cv2.resize(pattern, (640, 480), interpolation=cv2.INTER_CUBIC)
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    return Image(cv2.warpAffine(large, matrix, (640, 480)), "drawn")


def faces():
    points = np.array([[[230, 160], [270, 160], [250, 180], [235, 200], [265, 200]]], np.float32)
    return Detections(np.array([[200, 120, 300, 240]], np.float32), np.array([0.9], np.float32), points)


def test_boxes_and_landmarks_move_with_the_picture():
    flow = Flow()
    flow.show(frame((0, 0)))
    moved = flow.moved(faces(), frame((7, -4)))
    assert np.abs(moved.bboxes - (faces().bboxes + np.array([7, -4, 7, -4]))).max() < 0.5
    assert np.abs(moved.landmarks - (faces().landmarks + np.array([7, -4]))).max() < 0.5


def test_boxes_grow_with_the_picture():
    flow = Flow()
    flow.show(frame((0, 0)))
    moved = flow.moved(faces(), frame((-10, -7), 1.04))
    assert np.abs(moved.bboxes - (faces().bboxes * 1.04 + [-10, -7, -10, -7])).max() < 1.5


def test_a_face_that_can_not_be_followed_is_given_up():
    flow = Flow()
    flow.show(frame((0, 0)))
    assert len(flow.moved(faces(), Image(np.full((480, 640, 3), 128, np.uint8), "grey"))) == 0
