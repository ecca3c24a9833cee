"""The average precision of a detector, computed as WIDER FACE's own evaluation does it.

S. Yang et al., "WIDER FACE: A Face Detection Benchmark", CVPR 2016, and the MATLAB code of its evaluation. Detections
are taken best score first. A detection that overlaps a face by half (its last pixel counted in) finds the face, if none
has before; one whose closest face is not in the subset is ignored. Scores are stretched to 0..1 over the whole set,
precision and recall are read at 1000 thresholds, and the area under the curve is taken as PASCAL VOC does from 2010 on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Truth = NDArray[np.bool_]

THRESHOLDS = 1000
LEAST_IOU = 0.5  # of a detection with the face that it finds


@dataclass(frozen=True, slots=True, eq=False)
class JudgedDetections:
    """The detections of one picture, judged for one subset; (N,) each, best score first.

    counted: False where a detection is ignored. face: the index of the true face that the detection is the first to
    find, -1 for none.
    """

    scores: Numbers
    counted: Truth
    face: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ThresholdPoint:
    """Precision, recall and F1 of the detections with at least a score of `threshold`; 0 to 1 each.

    precision is None where nothing is detected, recall where there are no faces.
    """

    threshold: float
    precision: float | None
    recall: float | None
    f1: float


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionCurve:
    """All detections of a set of pictures, best score first.

    scores, counted, correct: (N,) each; for each detection its score, and the running totals: detections counted,
    detections correct. faces: the number of faces to find.
    """

    scores: Numbers
    counted: NDArray[np.intp]
    correct: NDArray[np.intp]
    faces: int

    def at(self, threshold: float) -> ThresholdPoint:
        """Return precision and recall of the detections with at least this score."""
        index = int(np.searchsorted(-self.scores, -threshold, "right")) - 1
        counted, correct = (0, 0) if index < 0 else (int(self.counted[index]), int(self.correct[index]))
        f1 = 2 * correct / (counted + self.faces) if counted + self.faces else 0.0
        precision, recall = correct / counted if counted else None, correct / self.faces if self.faces else None
        return ThresholdPoint(threshold, precision, recall, f1)

    def best(self) -> ThresholdPoint | None:
        """Return the point where F1, the harmonic mean of precision and recall, is largest; None without detections."""
        if not len(self.scores):
            return None
        f1 = 2 * self.correct / np.maximum(self.counted + self.faces, 1)
        ends = np.append(self.scores[1:] != self.scores[:-1], True)  # equal scores stand or fall together
        return self.at(float(self.scores[np.argmax(np.where(ends, f1, -1))]))

    def average_precision(self) -> float:
        """Return the area under the curve of precision over recall, at 1000 thresholds on the stretched scores."""
        if not len(self.scores) or not self.faces:
            return 0.0
        low, high = self.scores[-1], self.scores[0]
        stretched = (self.scores - low) / (high - low) if high > low else np.ones_like(self.scores)
        thresholds = 1 - np.arange(1, THRESHOLDS + 1) / THRESHOLDS
        index = np.searchsorted(-stretched, -thresholds, "right") - 1
        counted = np.where(index < 0, 0, self.counted[index])
        correct = np.where(index < 0, 0, self.correct[index])
        # 0 / 0, where every detection so far is ignored: MATLAB's NaN, which its max() passes over, as 0 does.
        precision = correct / np.maximum(counted, 1)
        return _area(correct / self.faces, precision)


def judge(bboxes: Numbers, scores: Numbers, truth: Numbers, counts: NDArray[np.intp]) -> JudgedDetections:
    """Judge the detections of one picture for one subset.

    bboxes: (N, 4) xyxy px. scores: (N,). truth: (M, 4) x, y, width, height px. counts: indices of the faces of the
    subset. As in the official code, nothing counts in a picture that has no faces at all.
    """
    order = np.argsort(-scores, kind="stable")
    counted, first = np.full(len(order), len(truth) > 0), np.full(len(order), -1, np.intp)
    if len(order) and len(truth):
        overlap = _overlap(bboxes[order], truth)
        closest = overlap.argmax(1)
        hits = overlap[np.arange(len(order)), closest] >= LEAST_IOU
        in_subset = np.zeros(len(truth), bool)
        in_subset[counts] = True
        counted = ~hits | in_subset[closest]
        finders = np.flatnonzero(hits & in_subset[closest])
        _, firsts = np.unique(closest[finders], return_index=True)
        first[finders[firsts]] = closest[finders[firsts]]
    return JudgedDetections(scores[order], counted, first)


def curve(pictures: Sequence[JudgedDetections], faces: int) -> PrecisionCurve:
    """Return the curve of a set of pictures. faces: the number of faces to find in them."""
    scores = np.concatenate([np.zeros(0), *(picture.scores for picture in pictures)])
    counted = np.concatenate([np.zeros(0, bool), *(picture.counted for picture in pictures)])
    correct = np.concatenate([np.zeros(0, bool), *(picture.face >= 0 for picture in pictures)])
    order = np.argsort(-scores, kind="stable")
    counted_so_far, correct_so_far = (np.cumsum(flags[order], dtype=np.intp) for flags in (counted, correct))
    return PrecisionCurve(scores[order], counted_so_far, correct_so_far, faces)


def _overlap(boxes: Numbers, truth: Numbers) -> Numbers:
    """Return the (N, M) IoU of (N, 4) xyxy and (M, 4) x, y, width, height, with the last pixels counted in."""
    left, top, right, bottom = boxes.T[:, :, None]
    lefts, tops, widths, heights = truth.T
    width = np.minimum(right, lefts + widths) - np.maximum(left, lefts) + 1
    height = np.minimum(bottom, tops + heights) - np.maximum(top, tops) + 1
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = (right - left + 1) * (bottom - top + 1) + (widths + 1) * (heights + 1)
    iou: Numbers = shared / (areas - shared)
    return iou


def _area(recall: Numbers, precision: Numbers) -> float:
    """Return the area under the curve, taking at each recall the best precision at this or a larger recall."""
    recall = np.concatenate([[0.0], recall, [1.0]])
    precision = np.concatenate([[0.0], precision, [0.0]])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * envelope[1:]).sum())
