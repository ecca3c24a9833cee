"""Encoded pictures to pixels by OpenCV, without holding a large picture twice.

`cv2.imdecode` decodes into memory of OpenCV's own, which is then copied for numpy; `cv2.imread` can decode into numpy's
at once. It reads a file, which is in memory alone where the system has such files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from facecli.types import UInt8Array

LARGE = 2**21  # pixels; below that the copy is not worth a file
# Of others OpenCV's decoders may read a file otherwise than memory.
FORMATS = ("JPEG", "PNG", "WebP")


def decoded(data: bytes, flags: int, pixels: int, kind: str) -> UInt8Array | None:
    """Return the pixels of an encoded picture, None if it is damaged. Raises cv2.error as OpenCV does.

    data: with its end, as read_header has found: of a JPEG file that is cut off libjpeg makes up the rest. flags: of
    cv2.imdecode. pixels: how many it has. kind: the format, as a header names it.
    """
    if pixels >= LARGE and kind in FORMATS and hasattr(os, "memfd_create"):
        try:
            with os.fdopen(os.memfd_create("picture"), "wb") as file:
                file.write(data)
                file.flush()
                path = Path(f"/proc/self/fd/{file.fileno()}")
                if path.exists():
                    return cast("UInt8Array | None", cv2.imread(str(path), None, flags))
        except OSError:  # no file can be had
            pass
    return cast("UInt8Array | None", cv2.imdecode(np.frombuffer(data, np.uint8), flags))
