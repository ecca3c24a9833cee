"""Which pictures are learned from, and which are held out: by the hash of their pixels, so that copies go together."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from facecli.types import UInt8Array


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
