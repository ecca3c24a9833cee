"""Geometry of boxes and points: areas, overlap, suppression, and the transform that aligns faces.

Public for plugins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray

_TINY = np.finfo(np.float32).tiny
_BLOCK = 128  # boxes that are compared with all others at once; those that they suppress are never compared again


def areas(boxes: FloatArray, *, inclusive: bool = False) -> FloatArray:
    """Return the areas (N,) of boxes (N, 4) xyxy. inclusive: count a box's last pixel, too, as older detectors do."""
    extra = np.float32(1 if inclusive else 0)
    return (boxes[:, 2] - boxes[:, 0] + extra) * (boxes[:, 3] - boxes[:, 1] + extra)


def overlap(a: FloatArray, b: FloatArray, *, mode: str = "union", inclusive: bool = False) -> FloatArray:
    """Return the overlap (N, M) of boxes (N, 4) with boxes (M, 4), xyxy: 0 to 1.

    mode: "union" is intersection over union, "min" is intersection over the smaller box. inclusive: see areas.
    """
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
    shared /= np.maximum(whole, _TINY, out=whole)  # boxes without area overlap with nothing: 0 / tiny
    return shared


def _shared(start: FloatArray, end: FloatArray, starts: FloatArray, ends: FloatArray, extra: np.float32) -> FloatArray:
    """Return the length (N, M) that intervals (N, 1) share with intervals (M,).

    In place, because most of the time would go into fresh memory. extra: added to the ends, 0 or 1.
    """
    length: FloatArray = np.minimum(end, ends)
    length -= np.maximum(start, starts)
    length += extra
    return np.maximum(length, 0, out=length)


def nms(
    boxes: FloatArray, scores: FloatArray, threshold: float, *, mode: str = "union", inclusive: bool = False
) -> NDArray[np.intp]:
    """Return the indices that greedy non-maximum suppression keeps, best score first.

    A box is dropped if its overlap with a better box that is kept is above the threshold. mode, inclusive: see overlap.
    """
    order = np.argsort(-scores, kind="stable")
    boxes = boxes[order]
    rest, kept = np.arange(len(boxes)), []
    while len(rest):
        block, rest = rest[:_BLOCK], rest[_BLOCK:]
        above = overlap(boxes[block], boxes[block], mode=mode, inclusive=inclusive) > threshold
        good = np.ones(len(block), bool)
        for row in range(len(block)):
            if good[row]:
                good[row + 1 :] &= ~above[row, row + 1 :]
        block = block[good]
        kept.append(block)
        if len(rest):
            above = overlap(boxes[block], boxes[rest], mode=mode, inclusive=inclusive) > threshold
            rest = rest[~above.any(axis=0)]
    return order[np.concatenate(kept)] if kept else order


def similarity_transform(source: FloatArray, target: FloatArray) -> NDArray[np.float64]:
    """Return the matrix (2, 3) of the rotation, uniform scale and shift that map points closest to other points.

    source, target: (N, 2) points.

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
