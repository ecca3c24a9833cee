"""Which pictures are learned from and which are held out: by the hash of their pixels, so that copies go together."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray, UInt8Array

# The correlation of 16x16 means above which two pictures count as near copies: by eye, 12 of 12 pairs of FER2013 from
# 0.95 to 0.96 were cuts of one photograph, of those from 0.92 to 0.93 seven.
_NEAR = 0.95
_SMALL = 16
_AT_ONCE = 256


def _hashes(pixels: UInt8Array) -> list[str]:
    """The sha256 of each picture's pixels."""
    return [hashlib.sha256(picture.tobytes()).hexdigest() for picture in pixels]


def known(pixels: UInt8Array, others: UInt8Array) -> NDArray[np.bool_]:
    """(N,) which pictures are among the others as well, to the bit."""
    found = set(_hashes(others))
    return np.array([digest in found for digest in _hashes(pixels)], dtype=bool)


def held_out(pixels: UInt8Array, part: float) -> NDArray[np.bool_]:
    """(N,) which pictures are kept from training: about `part` of them."""
    limit = int(part * 16**8)
    return np.array([int(digest[:8], 16) < limit for digest in _hashes(pixels)], dtype=bool)


def near(pixels: UInt8Array, others: UInt8Array) -> NDArray[np.bool_]:
    """(N,) which pictures have a near copy, mirrored or not, among the others: (N, H, W), of sides that 16 divides."""
    known = np.concatenate([_thumbnails(others), _thumbnails(others[:, :, ::-1])])
    small = _thumbnails(pixels)
    found = [(small[i : i + _AT_ONCE] @ known.T).max(1, initial=0) > _NEAR for i in range(0, len(small), _AT_ONCE)]
    return np.concatenate([np.zeros(0, bool), *found])


def _thumbnails(pixels: UInt8Array) -> FloatArray:
    """(N, 256) each picture as 16x16 means, brought to mean 0 and length 1: their products are correlations."""
    rows, columns = (side // _SMALL for side in pixels.shape[1:])
    small = pixels.reshape(len(pixels), _SMALL, rows, _SMALL, columns).mean((2, 4), dtype=np.float32)
    small = small.reshape(len(pixels), _SMALL * _SMALL)
    small -= small.mean(1, keepdims=True)
    return np.asarray(small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6), np.float32)
