"""The outcome for one file that was to be anonymised."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from facecli.anonymise.proof import Witness
from facecli.errors import FacecliError
from facecli.types import UInt8Array


@dataclass(frozen=True, slots=True, eq=False)
class Anonymised:
    """The outcome for one file.

    kind: "picture" or "film". output: the file that was written, if any. faces: faces of a picture, tracks of a film;
    covered: how many of them were covered. length: frames of a film. left_out: in words, what the original has and the
    copy lacks. witnesses: of the proof, None where nobody asked for it. warning: "short" if a film ended earlier than
    it states. pixels: of a covered picture, (H, W, 3) uint8 RGB.
    """

    source: str
    kind: str
    output: Path | None = None
    width: int | None = None
    height: int | None = None
    length: int | None = None
    faces: int | None = None
    covered: int | None = None
    left_out: tuple[str, ...] = ()
    witnesses: tuple[Witness, ...] | None = None
    warning: str | None = None
    error: FacecliError | None = None
    pixels: UInt8Array | None = field(default=None, repr=False)
