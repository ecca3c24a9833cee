"""The small filters, beside the full matrices that they stand for."""

from __future__ import annotations

import numpy as np

from facecli.plugins.trackers.motion import Motion


class Matrices:
    """One box by the matrices of the Kalman filter: state u, v, s, r and the rates of u, v, s."""

    def __init__(self, bbox):
        self.x = np.append(self.measured(bbox), np.zeros(3))
        self.p = np.diag([10, 10, 10, 10, 1e4, 1e4, 1e4]).astype(float)
        self.h = np.eye(4, 7)

    @staticmethod
    def measured(bbox):
        width, height = bbox[2] - bbox[0], bbox[3] - bbox[1]
        return np.array([(bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2, width * height, width / height])

    def predict(self, frames):
        f = np.eye(7)
        f[[0, 1, 2], [4, 5, 6]] = frames
        self.x = f @ self.x
        self.p = f @ self.p @ f.T + frames * np.diag([1, 1, 1, 1, 0.01, 0.01, 0.0001])

    def correct(self, bbox):
        gain = self.p @ self.h.T @ np.linalg.inv(self.h @ self.p @ self.h.T + np.diag([1, 1, 10, 10]))
        self.x = self.x + gain @ (self.measured(bbox) - self.h @ self.x)
        self.p = (np.eye(7) - gain @ self.h) @ self.p


def test_small_filters_agree_with_full_matrices():
    rng = np.random.default_rng(0)
    boxes = np.array([[100, 50, 160, 130], [300, 200, 340, 260]], float)
    motion, matrices = Motion(), [Matrices(box) for box in boxes]
    motion.add(boxes.astype(np.float32))
    for frame in range(60):
        seconds = float(rng.choice([0.02, 0.04, 0.12]))
        motion.predict(seconds)
        for one in matrices:
            one.predict(seconds * 25)
        boxes = (boxes + np.array([2, 1, 2.2, 1.1]) + rng.normal(0, 0.5, (2, 4))).astype(np.float32).astype(float)
        if frame % 7 != 3:  # a frame without detections now and then
            motion.correct(np.array([0, 1]), boxes.astype(np.float32))
            for one, box in zip(matrices, boxes, strict=True):
                one.correct(box)
        assert np.allclose(motion.values, [one.x[:4] for one in matrices], rtol=1e-9)
        assert np.allclose(motion.rates[:, :3], [one.x[4:] for one in matrices], rtol=1e-6, atol=1e-9)


def test_a_box_that_shrinks_never_has_a_negative_area():
    motion = Motion()
    motion.add(np.array([[0, 0, 20, 20]], np.float32))
    for size in (14, 8, 4):
        motion.predict(0.04)
        motion.correct(np.array([0]), np.array([[0, 0, size, size]], np.float32))
    for _ in range(50):
        motion.predict(0.2)
        box = motion.bboxes[0]
        assert np.isfinite(box).all()
        assert (box[2:] >= box[:2]).all()
