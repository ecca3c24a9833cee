"""Boxes, overlap, suppression and the alignment transform; public for plugins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray

_TINY = np.finfo(np.float32).tiny
_BLOCK = 128  # boxes judged at once: those that they suppress are never looked at again


def areas(boxes: FloatArray, *, inclusive: bool = False) -> FloatArray:
    """(N, 4) xyxy -> (N,) areas; inclusive: a box covers its last pixel too, as older detectors count."""
    extra = np.float32(1 if inclusive else 0)
    return (boxes[:, 2] - boxes[:, 0] + extra) * (boxes[:, 3] - boxes[:, 1] + extra)


def overlap(a: FloatArray, b: FloatArray, *, mode: str = "union", inclusive: bool = False) -> FloatArray:
    """(N, 4) and (M, 4) xyxy -> (N, M): intersection over union, or over the smaller box for mode="min"."""
    extra = np.float32(1 if inclusive else 0)
    left, top, right, bottom = np.ascontiguousarray(a.T)[:, :, None]
    lefts, tops, rights, bottoms = np.ascontiguousarray(b.T)
    shared = _shared(left, right, lefts, rights, extra)
    whole = _shared(top, bottom, tops, bottoms, extra)
    shared *= whole
    area_a, area_b = areas(a, inclusive=inclusive)[:, None], areas(b, inclusive=inclusive)
    if mode == "min":
        np.minimum(area_a, area_b, out=whole)
    else:
        np.add(area_a, area_b, out=whole)
        whole -= shared
    shared /= np.maximum(whole, _TINY, out=whole)  # boxes without area share nothing: 0 / tiny
    return shared


def _shared(start: FloatArray, end: FloatArray, starts: FloatArray, ends: FloatArray, extra: np.float32) -> FloatArray:
    """How much of (N, 1) intervals lies in each of (M,) intervals: (N, M). In place: fresh memory takes most time."""
    length: FloatArray = np.minimum(end, ends)
    length -= np.maximum(start, starts)
    length += extra
    return np.maximum(length, 0, out=length)


def nms(
    boxes: FloatArray, scores: FloatArray, threshold: float, *, mode: str = "union", inclusive: bool = False
) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: the indices kept, best score first.

    A box goes when its overlap (as `overlap` counts it) with a better kept one is above `threshold`.
    """
    order = np.argsort(-scores, kind="stable")
    boxes = boxes[order]
    left, kept = np.arange(len(boxes)), []
    while len(left):
        block, left = left[:_BLOCK], left[_BLOCK:]
        above = overlap(boxes[block], boxes[block], mode=mode, inclusive=inclusive) > threshold
        good = np.ones(len(block), bool)
        for row in range(len(block)):
            if good[row]:
                good[row + 1 :] &= ~above[row, row + 1 :]
        block = block[good]
        kept.append(block)
        if len(left):
            above = overlap(boxes[block], boxes[left], mode=mode, inclusive=inclusive) > threshold
            left = left[~above.any(axis=0)]
    return order[np.concatenate(kept)] if kept else order


def similarity_transform(source: FloatArray, target: FloatArray) -> NDArray[np.float64]:
    """The 2x3 matrix of rotation, uniform scale and shift that best maps (N, 2) source points onto target points.

    Least squares without reflection: S. Umeyama, "Least-squares estimation of transformation parameters between two
    point patterns", PAMI 1991, written with complex numbers for the plane.
    """
    p = source[:, 0].astype(np.float64) + 1j * source[:, 1]
    q = target[:, 0].astype(np.float64) + 1j * target[:, 1]
    p_mean, q_mean = p.mean(), q.mean()
    spread = (np.abs(p - p_mean) ** 2).sum()
    turn = (np.conj(p - p_mean) * (q - q_mean)).sum() / spread if spread > 0 else 1.0 + 0j
    shift = q_mean - turn * p_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
