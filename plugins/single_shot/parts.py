"""Parts of faces: boxes that a large look gives to an eye, a lens of glasses or half of a face that fills the picture.

Suppression by intersection over union keeps them, since such a box is small beside its face.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facecli.geometry import areas, overlap
from facecli.types import FloatArray

BLOCK = 128  # boxes that are compared with all better ones at once, which bounds the memory


def whole(boxes: FloatArray, threshold: float) -> NDArray[np.bool_]:
    """Return which boxes (N, 4) xyxy, best score first, are no part of a better and larger one, as (N,) bool.

    threshold: the share of a box's area inside the other above which it is a part. A small face with a better score
    than the large one around it, such as a portrait that somebody holds up, stays.
    """
    area, rank = areas(boxes), np.arange(len(boxes))
    found = np.ones(len(boxes), bool)
    for start in range(0, len(boxes), BLOCK):
        these, better = slice(start, start + BLOCK), slice(0, start + BLOCK)
        part = overlap(boxes[these], boxes[better], mode="min") > threshold
        part &= (area[better] > area[these, None]) & (rank[better] < rank[these, None])
        found[these] = ~part.any(1)
    return found
