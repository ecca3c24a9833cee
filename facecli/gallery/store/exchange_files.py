"""A gallery as a file for other programs and other galleries: .npz, .parquet, or .zip with the crops that were kept.

.npz: the arrays of exchange, without pickles. .parquet: a row for each face, the rest in the schema's metadata; names
of pictures are bytes. .zip: gallery.npz, and people/NAME/ROW.jpg, a folder for each person, which `facecli enroll`
takes as well; faces of nobody lie in `unnamed`.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from facecli.errors import GalleryError, UsageError
from facecli.gallery.store import exchange, exchange_parquet
from facecli.gallery.store.exchange import Arrays, Contents
from facecli.gallery.store.place import OWNER_ONLY
from facecli.gallery.store.store import GalleryStore
from facecli.system.files import require_file, staged
from facecli.system.portable_names import PortableNames

ARRAYS, CROP = "gallery.npz", re.compile(r"(?:people/[^/]+|unnamed)/(\d{1,9})\.jpg")  # members of a .zip
MOST_CROP = 200_000  # bytes; the pixels of a crop have fewer


def export(store: GalleryStore, target: Path) -> int:
    """Write a gallery into a file, which its owner alone may read; return how many faces.

    Raises UsageError for another suffix, an empty gallery, a .zip where no crops were kept, and a .parquet without
    pyarrow; OutputError.
    """
    write = {".npz": _write_npz, ".parquet": exchange_parquet.write, ".zip": _write_zip}.get(target.suffix.lower())
    if write is None:
        hint = "choose a name that ends in .npz, .parquet or .zip"
        raise UsageError(f"{target} can not be written: its kind is not known", hint=hint)
    contents = exchange.contents(store)
    with staged(target, parents=False, mode=OWNER_ONLY) as temporary:
        write(temporary, contents)
    return len(contents.arrays["person"])


@contextmanager
def opened(path: Path) -> Iterator[Contents]:
    """Give what an exported file has. Raises GalleryError, also within the block, for one that is none or damaged."""
    try:
        require_file(path)
        if path.suffix.lower() == ".parquet":
            arrays = exchange_parquet.read(path)
            exchange.check(arrays)
            yield Contents(arrays, lambda _row: None)
            return
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive)
            crops = {int(match[1]): name for name in archive.namelist() if (match := CROP.fullmatch(name))}
            with archive.open(ARRAYS) if ARRAYS in archive.namelist() else path.open("rb") as stream:
                arrays = _read_npz(stream)
            exchange.check(arrays)
            yield Contents(arrays, _crops(archive, crops))
    except (OSError, ValueError, KeyError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        message = f"{path} is no exported gallery, or is damaged: {str(error) or type(error).__name__}"
        raise GalleryError(message, hint="name a file that `facecli gallery export` wrote") from error


def _write_npz(path: Path, contents: Contents) -> None:
    with path.open("wb") as stream:
        np.savez(stream, **contents.arrays)  # type: ignore[arg-type] # no name of an array is an option


def _write_zip(path: Path, contents: Contents) -> None:
    kept, names = 0, PortableNames()
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open(ARRAYS, "w", force_zip64=True) as stream:
            np.savez(stream, **contents.arrays)  # type: ignore[arg-type]
        for row, person in enumerate(contents.arrays["person"].tolist()):
            crop = contents.crop(row)
            if crop is not None:
                folder = f"people/{names.of(person)}" if person else "unnamed"
                archive.writestr(f"{folder}/{row}.jpg", crop)
                kept += 1
    if not kept:
        hint = "enroll with {crops}, or choose a name that ends in .npz or .parquet"
        raise UsageError("no crops of faces were kept in the gallery", hint=hint, about="crops")


def _read_npz(stream: IO[bytes]) -> Arrays:
    with zipfile.ZipFile(stream) as archive:
        _check_sizes(archive)
    stream.seek(0)
    with np.load(stream, allow_pickle=False) as file:
        return dict(file)


def _crops(archive: zipfile.ZipFile, members: dict[int, str]) -> Callable[[int], bytes | None]:
    """Return what returns the crop of a row; it raises ValueError for one that is none."""

    def crop(row: int) -> bytes | None:
        if row not in members:
            return None
        if archive.getinfo(members[row]).file_size > MOST_CROP:
            raise ValueError(f"{members[row]} is too large for a crop")
        content = archive.read(members[row])
        if not content.startswith(b"\xff\xd8\xff"):
            raise ValueError(f"{members[row]} is no JPEG")
        return content

    return crop


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """Raise ValueError for a file whose parts would fill the memory, before any is read."""
    if any(one.file_size > exchange.largest(one.compress_size) for one in archive.infolist()):
        raise ValueError("an array is far larger than its part of the file")
