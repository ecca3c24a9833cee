"""The settings of the river, and the clock that measures it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from facecli.types import Limits


@dataclass(frozen=True, slots=True)
class Flow:
    """The settings of one run of the river.

    faces: the choice among a picture's faces, see faces.choice.choose. min_score: faces that the detector is less sure
    of are left out, in [0, 1]. min_face_size: px; faces whose longer side is less are left out, unless the detector has
    a parameter of this name and does as it means. need_face: a picture without a face is an error. detect: False takes
    each whole picture as one crop. rotate: look at each picture turned by 90, 180 and 270 degrees, too, and keep the
    turn whose best face has the highest score. batch_size: pictures that go through the models together. jobs: batches
    at work at once. limits: costs of one input. measures: names of faces.measures.MEASURES. keep_image: leave the
    decoded pictures in the results.
    """

    faces: str = "all"
    min_score: float = 0.0
    min_face_size: float = 0.0
    need_face: bool = True
    detect: bool = True
    rotate: bool = False
    batch_size: int = 1
    jobs: int = 1
    limits: Limits = field(default_factory=Limits)
    measures: tuple[str, ...] = ()
    keep_image: bool = False


class Stopwatch:
    """Seconds spent per stage, added up over threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time that passes inside the block to the seconds of `stage`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
