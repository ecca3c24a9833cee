"""TODO: facecli.pipeline.results."""

from __future__ import annotations

from dataclasses import dataclass

from facecli.errors import FacecliError
from facecli.faces.measures import Measure
from facecli.types import Detections, FloatArray, Image


@dataclass(frozen=True, slots=True, eq=False)
class ImageResult:
    """What became of one source. The faces are rows: detections, embeddings and attributes have the same N.

    found: how many faces there were before the choice. detected: False where the whole picture was taken as the crop.
    indices: which of the faces found they are. ensemble: the embeddings of the recognizers beside the first.
    measures: what Flow.measures asks for, one mapping per face.
    image: only kept on request.
    error: why this source could not be done; there are no faces then.
    """

    source: str
    width: int | None = None
    height: int | None = None
    found: int = 0
    indices: tuple[int, ...] = ()
    detected: bool = True
    detections: Detections | None = None
    embeddings: FloatArray | None = None
    ensemble: tuple[FloatArray, ...] = ()
    attributes: tuple[FloatArray, ...] = ()
    measures: tuple[dict[str, Measure], ...] = ()
    image: Image | None = None
    error: FacecliError | None = None
