"""A zip of person/picture.jpg: read in memory within limits, never unpacked to a disk."""

from __future__ import annotations

import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from facecli.errors import InputError, UsageError
from facecli.gallery import names
from facecli.gallery.labelling import Labelled
from facecli.pictures.sources import Source, failing
from facecli.redaction import shortened
from facecli.server.dataset import BIN, GALLERY, SUFFIXES, TRAINED, UNTRAINED
from facecli.server.refusals import RefusalError
from facecli.types import Limits

MOST_FILES = 2000
MOST_UNPACKED = 2**30  # bytes of all pictures together
DAMAGED = (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, ValueError, lzma.LZMAError, zlib.error)


def pictures(data: bytes) -> tuple[int, Iterator[Labelled]]:
    """Return how many pictures a zip has, and an iterator of them with the people whose folders they lie in.

    Files of other kinds are left out, and so is what a dataset's RecycleBin and Embeddings have. Raises RefusalError
    for what is no zip, has too many files, or links or paths that lead out of it.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise RefusalError(422, "input", "it is not a zip", hint="send a zip of person/picture.jpg") from error
    if len(entries) > MOST_FILES:
        raise RefusalError(413, "too_large", f"the zip has more than {MOST_FILES} files", hint="send several")
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise RefusalError(413, "too_large", f"its files are larger than {MOST_UNPACKED} bytes together")
    for entry in entries:
        _check(entry)
    wanted = [entry for entry in entries if not entry.is_dir() and _is_wanted(PurePosixPath(entry.filename))]
    return len(wanted), (_labelled(archive, entry) for entry in wanted)


def _is_wanted(path: PurePosixPath) -> bool:
    return path.suffix.lower() in SUFFIXES and not {BIN, GALLERY} & set(path.parts[:-1])


def _check(entry: zipfile.ZipInfo) -> None:
    path = PurePosixPath(entry.filename)
    outside = path.is_absolute() or ".." in path.parts or "\\" in entry.filename or "\0" in entry.filename
    if outside or stat.S_ISLNK(entry.external_attr >> 16):
        raise RefusalError(422, "input", f"{shortened(entry.filename, 100)} leads out of the zip")
    if entry.flag_bits & 1:
        raise RefusalError(422, "input", "the zip needs a password")


def _labelled(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Labelled:
    parts, shown = PurePosixPath(entry.filename).parts, shortened(entry.filename, 200)
    if len(parts) < 2 or parts[-2] in (TRAINED, UNTRAINED):
        outside = InputError(f"{shown} lies in no person's folder", hint="put it into one")
        return Labelled(failing(shown, outside), None, outside)
    try:
        return Labelled(Source(shown, _reader(archive, entry)), names.clean(parts[-2]), how="import")
    except UsageError as error:  # a name that can not be one
        return Labelled(failing(shown, error), None, error)


def _reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Callable[[str, Limits, Callable[[], None]], bytes]:
    def read(name: str, limits: Limits, _large: Callable[[], None]) -> bytes:
        try:
            with archive.open(entry) as stream:
                content = stream.read(limits.max_bytes + 1)
        except DAMAGED as error:
            raise InputError(f"{name} is damaged in the zip") from error
        if len(content) > limits.max_bytes:
            raise InputError(f"{name} is larger than {limits.max_bytes} bytes")
        return content

    return read
