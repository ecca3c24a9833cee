"""A picture with its faces, as Python gets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from facecli.errors import FacecliError
from facecli.pipeline.face import Face, faces_of
from facecli.pipeline.results import ImageResult


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture with its faces.

    source: its name. width, height: px after EXIF orientation, None if it was not decoded. frames: pages, or frames of
    an animation, in its file, of which this is the first; None as width. detected: whether a detector found a face,
    None if that is not known. detector_ran: False if the whole picture was taken as one crop, None for a picture that
    failed before. faces_found: faces before a choice was made among them, None where none were looked for. faces: the
    chosen ones. error: the reason why it failed, else None; it has no faces then. result: the arrays that the faces are
    rows of.
    """

    result: ImageResult = field(repr=False)
    source: str
    width: int | None
    height: int | None
    frames: int | None
    detected: bool | None
    detector_ran: bool | None
    faces_found: int | None
    faces: tuple[Face, ...]
    error: FacecliError | None

    @classmethod
    def of(cls, result: ImageResult) -> Picture:
        """Return the picture of a result of the stages."""
        return cls(
            result,
            result.source,
            result.width,
            result.height,
            result.frames,
            result.detected,
            None if result.detected is None else result.detector_ran,
            result.faces_found,
            faces_of(result),
            result.error,
        )

    def record(self) -> dict[str, Any]:
        """Return the picture as the command line prints it with --json: plain values, rounded, ready for json.dumps.

        Each face has its embedding if embeddings were asked for. An error's texts name keyword arguments.
        """
        from facecli.output import records

        return records.image(self.result, embeddings=True)
