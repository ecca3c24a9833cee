"""TODO: facecli.export.variants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facecli.export.graph.quantize import Feeds
    from facecli.types import Image

    Look = Callable[[Path, Sequence[Image]], Sequence[Feeds]]


LEAST_FACES = 32  # for a calibration; some hundred are better
LEAST_PICTURES = 16  # for that of a detector, which sees much beside the faces
