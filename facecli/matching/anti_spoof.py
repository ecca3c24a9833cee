"""Anti-spoofing of a verification: both faces must look like faces, and not like a print or a screen."""

from __future__ import annotations

from dataclasses import dataclass

from facecli.errors import UsageError
from facecli.hosting import attributes
from facecli.hosting.registry import Registry
from facecli.models.store import ModelStore
from facecli.pipeline.results import ImageResult

Face = tuple[ImageResult, int]  # a picture, and the row of the face in it
ATTRIBUTE, REAL = "spoof", "real"
THRESHOLD = 0.5  # least probability of a real face: the likelier of real and fake decides


@dataclass(frozen=True, slots=True)
class AntiSpoof:
    """The check of the two faces of a verification. scores: the probability that each of them is a real face, 0 to 1.

    threshold: the least probability of a face that passes.
    """

    scores: tuple[float, float]
    threshold: float = THRESHOLD

    @property
    def passed(self) -> bool:
        """True if both faces look real."""
        return min(self.scores) >= self.threshold


def model(registry: Registry, store: ModelStore, *, detect: bool) -> str:
    """Return the name of the installed anti-spoofing plugin to load beside the recognizer.

    detect: False if the pictures are face crops already. Raises UsageError for that, because the models look at what is
    around a face, and ModelError if none is installed.
    """
    if not detect:
        raise UsageError(
            "{anti_spoof} looks at what is around a face, which a crop does not show",
            hint="leave out {no_detect}",
            about=("anti_spoof", "no_detect"),
        )
    return attributes.resolve(ATTRIBUTE, registry, store)


def check(first: Face, second: Face) -> AntiSpoof:
    """Return the check of two faces, each of them a row of a result that an anti-spoofing model has classified."""
    return AntiSpoof((_score(*first), _score(*second)))


def _score(result: ImageResult, row: int) -> float:
    answer = next(answer for answer in result.attributes if answer.attribute == ATTRIBUTE)
    return float(answer.rows[row, answer.labels.index(REAL)])
