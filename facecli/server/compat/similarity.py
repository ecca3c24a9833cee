"""CompreFace's similarity of two faces."""

from __future__ import annotations

import math

DIGITS = 5
STEEPNESS = 3.0  # a distance of 0 has 0.998, and one of twice the threshold 0.002


def similarity(distance: float, threshold: float) -> float:
    """Return a similarity of 0 to 1 that is 0.5 at the threshold and falls with the distance.

    The formula is CompreFace's; the threshold is this server's own, and so the same face has another similarity here.
    """
    return round((math.tanh(STEEPNESS * (1.0 - distance / threshold)) + 1.0) / 2.0, DIGITS)
