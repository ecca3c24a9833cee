"""A picture's way through the stages as one frozen value: its faces are the rows of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facecli.errors import FacecliError
from facecli.types import Detections, FloatArray, Image

if TYPE_CHECKING:  # few results have measures or bins: a cold start is spared the import
    from facecli.contract import Bin
    from facecli.faces.measures import Measure


@dataclass(frozen=True, slots=True, eq=False)
class AttributeRows:
    """The answers of one attribute model for all faces of a picture.

    attribute: its name, such as "emotion". labels: names of the columns; empty for a number. floor: probability that
    the likeliest label must reach to be the answer. rows: (N, C) float32 probabilities, or (N, 1) float32 numbers.
    bins: the ranges that the columns stand for, if the answer is a number with a distribution.
    """

    attribute: str
    labels: tuple[str, ...]
    floor: float
    rows: FloatArray
    bins: tuple[Bin, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ImageResult:
    """One picture after the stages. Detections, embeddings, attributes and measures have the same N, its faces.

    source: the picture's name as the user gave it. width, height: px of the upright picture, None if it was not
    decoded. faces_found: faces before one was chosen, None where none were looked for or the picture failed before.
    indices: places of the N faces among these. detector_ran: False where the whole picture was taken as one crop.
    rotated: degrees clockwise by which the picture was turned to find the faces, None where no turns were looked at;
    detections are in px of the picture as it came. embeddings: (N, D) float32 of the first recognizer;
    further_embeddings: of the others. measures: Flow.measures, by name, for each face. image: the decoded picture, kept
    only on request. error: the reason why the picture failed; it has no faces then. remark: what else there is to know
    of a picture that did not fail: that it has no face. frames: pictures in its file, of which this is the first; None
    if it was not decoded. damage: what speaks for damage of its file; see types.Image. doubt: why the whole picture,
    taken as a crop of a face, is hardly one; see faces.absence.
    """

    source: str
    width: int | None = None
    height: int | None = None
    faces_found: int | None = None
    indices: tuple[int, ...] = ()
    detector_ran: bool = True
    rotated: int | None = None
    detections: Detections | None = None
    embeddings: FloatArray | None = None
    further_embeddings: tuple[FloatArray, ...] = ()
    attributes: tuple[AttributeRows, ...] = ()
    measures: tuple[Mapping[str, Measure], ...] = ()
    image: Image | None = None
    error: FacecliError | None = None
    remark: FacecliError | None = None
    frames: int | None = None
    damage: str | None = None
    doubt: str | None = None

    @property
    def detected(self) -> bool | None:
        """True if a detector has found a face; None where that is not known, as of a picture that was not decoded."""
        if self.detector_ran and self.faces_found is None:
            return None
        return self.detector_ran and bool(self.faces_found)
