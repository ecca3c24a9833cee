"""Archives of pictures, as data sets come in them: read from end to end, member by member, without a disk."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from facecli.errors import FacecliError, InputError, first_line
from facecli.pictures.listing import SUFFIXES
from facecli.pictures.sources import URL, Source, failing, too_large
from facecli.places import objects
from facecli.redaction import without_secrets
from facecli.types import Limits


def members(archive: str, limits: Limits) -> Iterator[Source]:
    """Yield the pictures in a tar archive in order, named ARCHIVE/MEMBER, while it is read from end to end.

    One that is damaged ends with a failing source. Members that are no pictures by their suffix are left out.
    """
    try:
        with ExitStack() as stack:
            stream = stack.enter_context(_stream(archive))
            with tarfile.open(fileobj=stream, mode="r|*") as tar:
                for member in tar:
                    if member.isfile() and member.name.lower().endswith(SUFFIXES):
                        yield _member(f"{archive}/{member.name}", tar, member, limits)
                    tar.members.clear()  # type: ignore[attr-defined] # which would hold the headers of all
    except (tarfile.TarError, OSError, EOFError) as error:
        message = f"can not read {archive} to its end: {first_line(error)}"
        yield failing(archive, InputError(message, hint="is it a whole tar archive?"))
    except FacecliError as error:
        yield failing(archive, error)


def _member(name: str, tar: tarfile.TarFile, member: tarfile.TarInfo, limits: Limits) -> Source:
    if member.size > limits.max_bytes:
        return failing(name, too_large(name, limits))
    content = tar.extractfile(member)
    assert content is not None
    data = content.read()

    def read(_name: str, _limits: Limits, _large: Callable[[], None]) -> bytes:
        return data

    return Source(name, read)


def _stream(archive: str) -> IO[bytes]:
    """Open an archive for reading once. Raises OSError, InputError."""
    if not URL.match(archive):
        return Path(archive).open("rb")
    with objects.told(f"can not read {without_secrets(archive)}", InputError):
        files, path = objects.opened(archive)
        stream: IO[bytes] = files.open(path, "rb")
        return stream
