"""How well a detector finds faces: average precision as WIDER FACE's own evaluation computes it.

S. Yang et al., "WIDER FACE: A Face Detection Benchmark", CVPR 2016, and the MATLAB code of its evaluation: detections
are taken best score first; one that overlaps a face by half (with the last pixel counted in) finds it, if nobody has;
one whose closest face is not in the subset is ignored. Scores are stretched to 0..1 over the whole set, precision and
recall are read at 1000 thresholds, and the area under the curve is taken as PASCAL VOC does from 2010 on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Truth = NDArray[np.bool_]

THRESHOLDS = 1000
SAME = 0.5  # IoU from which a detection is of a face


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The detections of one picture for one subset, best score first: (N,) each.

    counted: False where it is ignored. face: the index of the face that it is the first to find, -1 for none.
    """

    scores: Numbers
    counted: Truth
    face: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What a score threshold gives. precision is None where nothing is detected, recall where there are no faces."""

    threshold: float
    precision: float | None
    recall: float | None
    f1: float


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """All detections of a set, best score first, (N,) each: score, and how many were counted and right up to there.

    faces: how many there were to find.
    """

    scores: Numbers
    counted: NDArray[np.intp]
    right: NDArray[np.intp]
    faces: int

    def at(self, threshold: float) -> AtThreshold:
        """Precision and recall of the detections with at least this score."""
        index = int(np.searchsorted(-self.scores, -threshold, "right")) - 1
        counted, right = (0, 0) if index < 0 else (int(self.counted[index]), int(self.right[index]))
        f1 = 2 * right / (counted + self.faces) if counted + self.faces else 0.0
        precision, recall = right / counted if counted else None, right / self.faces if self.faces else None
        return AtThreshold(threshold, precision, recall, f1)

    def best(self) -> AtThreshold | None:
        """Where the harmonic mean of precision and recall is largest; None without a detection."""
        if not len(self.scores):
            return None
        f1 = 2 * self.right / np.maximum(self.counted + self.faces, 1)
        ends = np.append(self.scores[1:] != self.scores[:-1], True)  # equal scores stand or fall together
        return self.at(float(self.scores[np.argmax(np.where(ends, f1, -1))]))

    def average_precision(self) -> float:
        """The area under the curve of precision over recall at 1000 thresholds on the stretched scores."""
        if not len(self.scores) or not self.faces:
            return 0.0
        low, high = self.scores[-1], self.scores[0]
        stretched = (self.scores - low) / (high - low) if high > low else np.ones_like(self.scores)
        thresholds = 1 - np.arange(1, THRESHOLDS + 1) / THRESHOLDS
        index = np.searchsorted(-stretched, -thresholds, "right") - 1
        counted = np.where(index < 0, 0, self.counted[index])
        right = np.where(index < 0, 0, self.right[index])
        # 0 / 0, where all so far is ignored: MATLAB's NaN, which its max() passes over, as 0 does.
        precision = right / np.maximum(counted, 1)
        return _area(right / self.faces, precision)


def judge(bboxes: Numbers, scores: Numbers, truth: Numbers, counts: NDArray[np.intp]) -> Judged:
    """Judge one picture's (N, 4) xyxy boxes against (M, 4) x, y, width, height; counts: the faces of the subset.

    As officially, nothing counts in a picture that has no faces at all.
    """
    order = np.argsort(-scores, kind="stable")
    counted, first = np.full(len(order), len(truth) > 0), np.full(len(order), -1, np.intp)
    if len(order) and len(truth):
        shared = _overlap(bboxes[order], truth)
        closest = shared.argmax(1)
        hits = shared[np.arange(len(order)), closest] >= SAME
        wanted = np.zeros(len(truth), bool)
        wanted[counts] = True
        counted = ~hits | wanted[closest]
        found = np.flatnonzero(hits & wanted[closest])
        _, firsts = np.unique(closest[found], return_index=True)
        first[found[firsts]] = closest[found[firsts]]
    return Judged(scores[order], counted, first)


def curve(pictures: Sequence[Judged], faces: int) -> Curve:
    """The curve of a set of pictures with so many faces to find."""
    scores = np.concatenate([np.zeros(0), *(picture.scores for picture in pictures)])
    counted = np.concatenate([np.zeros(0, bool), *(picture.counted for picture in pictures)])
    right = np.concatenate([np.zeros(0, bool), *(picture.face >= 0 for picture in pictures)])
    order = np.argsort(-scores, kind="stable")
    return Curve(scores[order], np.cumsum(counted[order], dtype=np.intp), np.cumsum(right[order], dtype=np.intp), faces)


def _overlap(boxes: Numbers, truth: Numbers) -> Numbers:
    """(N, 4) xyxy and (M, 4) x, y, width, height -> (N, M) intersection over union, the last pixel counted in."""
    left, top, right, bottom = boxes.T[:, :, None]
    lefts, tops, widths, heights = truth.T
    width = np.minimum(right, lefts + widths) - np.maximum(left, lefts) + 1
    height = np.minimum(bottom, tops + heights) - np.maximum(top, tops) + 1
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = (right - left + 1) * (bottom - top + 1) + (widths + 1) * (heights + 1)
    iou: Numbers = shared / (areas - shared)
    return iou


def _area(recall: Numbers, precision: Numbers) -> float:
    """The area under the curve, where precision is at each recall the best of there and beyond."""
    recall = np.concatenate([[0.0], recall, [1.0]])
    precision = np.concatenate([[0.0], precision, [0.0]])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * envelope[1:]).sum())
