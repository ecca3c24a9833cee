"""The keys of a face's JSON record and the columns of its CSV row, which no attribute and no label may be named like.

An attribute's answer is written into the face's record under the attribute's name, and into the CSV row under the
labels' names. One that is named like a key of the record would take its place.
"""

from __future__ import annotations

RECORD_KEYS = (
    *("source", "face", "index", "detected", "rotated", "error", "bbox", "x1", "y1", "x2", "y2"),
    *("score", "landmarks", "embedding", "probabilities", "pose", "quality"),
)
