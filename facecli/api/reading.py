"""Pictures in the forms in which a Python program has them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from io import IOBase
from typing import Any

from facecli.errors import FacecliError
from facecli.pictures import codec
from facecli.pictures.listing import expand
from facecli.pictures.memory import open_any
from facecli.pictures.sources import Source, failing, single
from facecli.types import Image, Limits, UInt8Array

# A path, a URL, bytes of a picture file, a PIL image, or a (H, W, 3) uint8 array in RGB. The last two have no type:
# neither Pillow nor numpy is imported for a name.
Readable = Any

NAMES = ("O", "U", "T")  # kinds of dtypes, in numpy and pandas, whose values may be texts or paths


def read(picture: str | os.PathLike[str], *, limits: Limits | None = None) -> UInt8Array:
    """Return a picture as a (H, W, 3) uint8 array in RGB, its EXIF orientation applied.

    picture: a path, a URL, or - for standard input. `cv2.imread` gives BGR, which nothing can tell from RGB: faces in
    it are found worse and compared wrongly. limits: costs of the picture. Raises InputError.
    """
    limits = limits or Limits()
    name = os.fsdecode(picture)
    return codec.decode(single(name).read(limits), name, limits).pixels


def sources(pictures: Readable | Iterable[Readable], limits: Limits) -> Iterator[Source | Image]:
    """Yield the sources of one picture or many; a name may be a folder or a glob, whose pictures follow each other.

    A value that is no picture becomes a source whose reading raises UsageError.
    """
    several = isinstance(pictures, Iterable) and not _is_one(pictures)
    for picture in pictures if several else (pictures,):
        if isinstance(picture, (str, os.PathLike)):
            yield from expand((os.fsdecode(picture),))
            continue
        try:
            yield open_any(picture, limits)
        except FacecliError as error:
            yield failing(type(picture).__name__, error)


def _is_one(value: object) -> bool:
    """Return whether an iterable is one picture: a name, bytes, a file, or an array of numbers, not of names."""
    if isinstance(value, (str, os.PathLike, bytes, bytearray, memoryview, IOBase)):
        return True
    dtype = getattr(value, "dtype", None)  # numpy's, pandas', or torch's
    return dtype is not None and getattr(dtype, "kind", "") not in NAMES
