"""The faces of a film's next frames, found in threads of their own while the frames before are followed.

A detector knows nothing of the frames before, so several are looked at at once, each by one thread: threads within one
run of a small network mostly wait for each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from facecli.errors import FacecliError
from facecli.film.frame import Frame, Gap
from facecli.pipeline.flow import Stopwatch
from facecli.tracking.finding import Finding
from facecli.types import Detections

MOST_KEPT = 200_000_000  # bytes of frames at work


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A frame with its faces. detected: whether the detector has looked at it."""

    frame: Frame
    faces: Detections
    detected: bool


def found(frame: Frame, finding: Finding) -> Found:
    """Return a frame with its faces. Raises the error of the detector."""
    return Found(frame, *finding.find(frame.image))


def found_ahead(frames: Iterator[Frame | Gap], finding: Finding, clock: Stopwatch, jobs: int) -> Iterator[Found | Gap]:
    """Yield each frame with its faces, and the breaks, in order.

    clock: takes the time of reading. jobs: frames at work at once, fewer if they are large; 1 reads nothing ahead.
    Raises what reading and finding raise, once all that came before was yielded.
    """
    if jobs == 1:
        while (one := _read(frames, clock)) is not None:
            yield one if isinstance(one, Gap) else found(one, finding)
        return
    waiting: deque[Gap | Future[Found]] = deque()
    failure: FacecliError | None = None
    pool = ThreadPoolExecutor(jobs if finding.each else 1, "find")
    try:
        while True:
            try:
                one = _read(frames, clock)
            except FacecliError as error:
                one, failure = None, error
            if one is None:
                break
            waiting.append(one if isinstance(one, Gap) else pool.submit(found, one, finding))
            size = 0 if isinstance(one, Gap) else one.image.pixels.nbytes
            while len(waiting) > jobs or len(waiting) * size > MOST_KEPT:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)
    if failure is not None:
        raise failure


def _read(frames: Iterator[Frame | Gap], clock: Stopwatch) -> Frame | Gap | None:
    with clock("decode"):
        return next(frames, None)


def _result(one: Gap | Future[Found]) -> Found | Gap:
    return one if isinstance(one, Gap) else one.result()
