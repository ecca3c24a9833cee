"""The checks of a tracker: what it answers about made-up films of boxes, frame after frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from facecli.contract import Runtime, Tracker, TrackerPlugin
from facecli.errors import ContractError
from facecli.testing import statements
from facecli.testing.recording import RecordingRuntime
from facecli.types import Detections, FloatArray, Image, Tracked

WIDTH, HEIGHT = 640, 360  # px, of the films
Film = Sequence[tuple[Detections, float]]  # each frame's faces, and the seconds since the frame before


class TrackerSubject:
    """A tracker with the films that it is tried on. model: what its `load` returned, which makes a tracker per film."""

    def __init__(self, plugin: TrackerPlugin, runtime: Runtime) -> None:
        self.plugin, self.runtime = plugin, RecordingRuntime(runtime)
        self.model: Any = None
        self.films = films()

    def load(self) -> None:
        """Load the plugin with the descriptor's own parameters."""
        self.model = self.plugin.load(self.runtime, dict(self.plugin.parameters))

    def follow(self, film: Film) -> Iterator[Tracked]:
        """Yield the answer about each frame of a film. Raises ContractError for one that breaks the contract."""
        tracker: Tracker = self.model()
        for detections, seconds in film:
            answer: object = tracker.update(detections, seconds, self._image())
            if not isinstance(answer, Tracked):
                raise ContractError(f"update must return Tracked, got {type(answer).__name__}")
            if len(answer.ids) != len(detections):
                raise ContractError(f"Tracked.ids must have one id per detection: {len(detections)}, got {answer.ids}")
            # Its arrays may have been written to since they were checked.
            yield Tracked(answer.ids, answer.bboxes, answer.confirmed, answer.lost_ids, answer.lost_bboxes)

    def _image(self) -> Image | None:
        return Image(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), "conformance kit") if self.plugin.image else None


def films() -> dict[str, Film]:
    """Return films by name: drawn by this function, equal in every run."""
    walk = [_faces([[100 + 3 * t, 80, 150 + 3 * t, 140]]) for t in range(30)]
    return {
        "no face": [(_faces([]), 0.04)] * 5,
        "one face": _timed(walk),
        "a face that is away for a while": _timed([*walk[:10], *[_faces([])] * 10, *walk[20:]]),
        "long gaps": _timed(walk[:8], 10.0),
        "no time between frames": _timed(walk[:8], 0.0),
        "two faces that cross": _timed(
            [_faces([[100 + 8 * t, 80, 150 + 8 * t, 140], [400 - 8 * t, 82, 450 - 8 * t, 142]]) for t in range(35)]
        ),
        "200 faces": _timed([_crowd(seed) for seed in range(4)]),
        "boxes without area": _timed([_faces([[50, 50, 50, 50], [60, 60, 60, 90]])] * 4),
    }


def require_load(subject: TrackerSubject) -> None:
    """Load the plugin and make a tracker; whatever that raises is the finding."""
    subject.load()
    if not hasattr(subject.model(), "update"):
        raise ContractError("load must return a function that makes a tracker, which has the method update")
    statements.require_fit(subject)


def require_frames(subject: TrackerSubject) -> None:
    """Raise ContractError if an answer breaks the contract in any film; the message names the film."""
    for name, film in subject.films.items():
        try:
            list(subject.follow(film))
        except ContractError as error:
            raise ContractError(f"in the film of {name}: {error.message}", hint=error.hint) from error


def require_repeatable(subject: TrackerSubject) -> None:
    """Raise ContractError unless a film gets one answer twice, and later frames leave an answer alone."""
    for name, film in subject.films.items():
        answers, copies = [], []
        for answer in subject.follow(film):
            answers.append(answer)
            copies.append(answer.ids.copy())
        if any((answer.ids != copy).any() for answer, copy in zip(answers, copies, strict=True)):
            raise ContractError(
                f"in the film of {name}: the next frame overwrites an answer (return arrays of its own)"
            )
        if not _same(answers, subject.follow(film)):
            raise ContractError(f"in the film of {name}: a second run gives other ids than the first")


def require_inputs_kept(subject: TrackerSubject) -> None:
    """Raise ContractError if the tracker writes into the detections that it gets."""
    for name, film in subject.films.items():
        before = [detections.bboxes.copy() for detections, _ in film]
        list(subject.follow(film))
        if any((one.bboxes != copy).any() for (one, _), copy in zip(film, before, strict=True)):
            raise ContractError(f"in the film of {name}: the tracker writes into the detections that it is given")


def require_endings(subject: TrackerSubject) -> None:
    """Raise ContractError if an id comes back that was neither among the ids nor among the lost ones meanwhile."""
    for name, film in subject.films.items():
        seen: set[int] = set()
        living: set[int] = set()
        for answer in subject.follow(film):
            now = {*answer.ids.tolist(), *answer.lost_ids.tolist()}
            if back := (now & seen) - living:
                raise ContractError(f"in the film of {name}: the id {min(back)} had ended and comes back")
            seen, living = seen | now, now


def require_separate_films(subject: TrackerSubject) -> None:
    """Raise ContractError unless two films that are tracked at once get the ids that each gets alone."""
    one, other = subject.films["one face"], subject.films["two faces that cross"]
    alone = list(subject.follow(one)), list(subject.follow(other))
    together = [*zip(subject.follow(one), subject.follow(other), strict=False)]
    for expected, answers in zip(alone, zip(*together, strict=True), strict=True):
        if not _same(expected[: len(answers)], answers):
            raise ContractError("a film that is tracked beside another one gets other ids: trackers share a state")


CHECKS: dict[str, Callable[..., None]] = {
    "load": require_load,
    "frames": require_frames,
    "repeat": require_repeatable,
    "inputs": require_inputs_kept,
    "endings": require_endings,
    "films": require_separate_films,
}


def _same(answers: Sequence[Tracked], others: Any) -> bool:
    return all(np.array_equal(a.ids, b.ids) for a, b in zip(answers, others, strict=True))


def _timed(frames: Sequence[Detections], seconds: float = 0.04) -> Film:
    return [(detections, seconds if number else 0.0) for number, detections in enumerate(frames)]


def _faces(bboxes: Sequence[Sequence[float]] | FloatArray) -> Detections:
    boxes = np.asarray(bboxes, np.float32).reshape(-1, 4)
    return Detections(boxes, np.linspace(0.95, 0.75, len(boxes), dtype=np.float32))


def _crowd(seed: int) -> Detections:
    corners = np.random.default_rng(seed).random((200, 2)) * (WIDTH, HEIGHT)
    return _faces(np.hstack([corners, corners + 20]))
