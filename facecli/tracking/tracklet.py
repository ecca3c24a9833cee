"""One face through time, as far as a tracker alone can follow it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from facecli.gallery.decision import Identification
from facecli.tracking.looks import Look, Looks
from facecli.types import FloatArray

MOST_EMBEDDED = 3  # of a track's best looks


@dataclass(slots=True, eq=False)
class Tracklet:
    """A track of one tracker.

    number: its id. first_frame, first_time, last_frame, last_time: of its detections. frames: how many these are.
    first_bbox, last_bbox: (4,) xyxy px.
    looks: the best ones. embeddings: frame of a look -> (D,) float32. answer: who it is, None while nobody knows.
    winner, won: who won the latest try, None for nobody, and how often in a row. tries, tried: how many tries, and when
    the last one. revision: of what it was named from, see Naming.
    """

    number: int
    first_frame: int
    first_time: float
    looks: Looks
    first_bbox: FloatArray
    last_bbox: FloatArray
    last_frame: int = 0
    last_time: float = 0.0
    frames: int = 0
    embeddings: dict[int, FloatArray] = field(default_factory=dict)
    answer: Identification | None = None
    winner: str | None = None
    won: int = 0
    tries: int = 0
    tried: float = -np.inf
    revision: int = 0

    @property
    def new_looks(self) -> list[Look]:
        """The looks that are to be embedded and were not yet, best first."""
        return [look for look in self.looks.best[:MOST_EMBEDDED] if look.frame not in self.embeddings]

    def templates(self) -> FloatArray:
        """Return the embeddings of the best looks as they are now, (K, D) float32."""
        return np.stack([self.embeddings[frame] for frame in self._embedded()])

    def mean(self) -> FloatArray | None:
        """Return the mean direction of the templates, in their mean length; None without any."""
        if not self._embedded():
            return None
        rows = self.templates()
        mean, length = rows.mean(axis=0), np.linalg.norm(rows, axis=1).mean()
        return np.asarray(mean * (length / max(float(np.linalg.norm(mean)), 1e-12)), np.float32)

    def _embedded(self) -> list[int]:
        return [look.frame for look in self.looks.best[:MOST_EMBEDDED] if look.frame in self.embeddings]
