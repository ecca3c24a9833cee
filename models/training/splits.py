"""Splitting pictures into those to learn from and those held out, by the hash of their pixels: copies go together."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray, UInt8Array

# The correlation of 16x16 means above which two pictures count as near copies. By eye, 12 of 12 pairs of FER2013 from
# 0.95 to 0.96 were cuts of one photograph; of the pairs from 0.92 to 0.93, seven were.
_NEAR = 0.95
_THUMBNAIL = 16  # px
_AT_ONCE = 256  # pictures that are compared with all others together


def exact_copies(pixels: UInt8Array, others: UInt8Array) -> NDArray[np.bool_]:
    """Return (N,): True for each picture that is among the others as well, to the bit."""
    digests = set(_hashes(others))
    return np.array([digest in digests for digest in _hashes(pixels)], dtype=bool)


def held_out(pixels: UInt8Array, part: float) -> NDArray[np.bool_]:
    """Return (N,): True for about `part` of the pictures, which are kept from training."""
    limit = int(part * 16**8)
    return np.array([int(digest[:8], 16) < limit for digest in _hashes(pixels)], dtype=bool)


def near_copies(pixels: UInt8Array, others: UInt8Array) -> NDArray[np.bool_]:
    """Return (N,): True for each picture that has a near copy, mirrored or not, among the others.

    pixels, others: (N, H, W) grey; 16 divides H and W.
    """
    references = np.concatenate([_thumbnails(others), _thumbnails(others[:, :, ::-1])])
    small = _thumbnails(pixels)
    rows = [(small[i : i + _AT_ONCE] @ references.T).max(1, initial=0) > _NEAR for i in range(0, len(small), _AT_ONCE)]
    return np.concatenate([np.zeros(0, bool), *rows])


def _hashes(pixels: UInt8Array) -> list[str]:
    """Return the sha256 of each picture's pixels."""
    return [hashlib.sha256(picture.tobytes()).hexdigest() for picture in pixels]


def _thumbnails(pixels: UInt8Array) -> FloatArray:
    """Return (N, 256): each picture as 16x16 means, with mean 0 and length 1, so that products are correlations."""
    rows, columns = (side // _THUMBNAIL for side in pixels.shape[1:])
    small = pixels.reshape(len(pixels), _THUMBNAIL, rows, _THUMBNAIL, columns).mean((2, 4), dtype=np.float32)
    small = small.reshape(len(pixels), _THUMBNAIL * _THUMBNAIL)
    small -= small.mean(1, keepdims=True)
    return np.asarray(small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6), np.float32)
