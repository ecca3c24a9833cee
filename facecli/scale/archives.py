"""Archives of pictures, as data sets come in them: read from end to end, member by member, without a disk."""

from __future__ import annotations

import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from facecli.errors import FacecliError, InputError, first_line
from facecli.pictures.listing import SUFFIXES
from facecli.pictures.sources import URL, Source, failing, too_large
from facecli.places import objects
from facecli.redaction import without_secrets
from facecli.types import Limits

BLOCK = 2**20  # bytes that are read at once behind the end of an archive
# Headers that hold what others have no room for, such as long names: tarfile reads each of them into memory.
LONG = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
MOST_HEADER = 2**20  # bytes of such a header; a hostile one would take all memory


class _Header(tarfile.TarInfo):
    """A header of which only the block of zeros is an end: tarfile itself ends in silence at any damage."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> _Header:
        """Return the next header. Raises tarfile.ReadError for what is neither a header nor the end."""
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined] # which the types leave out
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error}, and no end") from error

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        """Return the header in a block. Raises tarfile.HeaderError, also for one that is followed by too much."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in LONG and header.size > MOST_HEADER:
            raise tarfile.InvalidHeaderError(f"a header of {header.size} bytes")  # type: ignore[attr-defined]
        return header


def members(archive: str, limits: Limits) -> Iterator[Source]:
    """Yield the pictures in a tar archive in order, named ARCHIVE/MEMBER, while it is read from end to end.

    One that is damaged ends with a failing source. Members that are no pictures by their suffix are left out.
    """
    try:
        with ExitStack() as stack:
            stream = stack.enter_context(_stream(archive))
            with _opened(stream) as tar:
                while (member := _next(tar)) is not None:
                    if member.isfile() and member.name.lower().endswith(SUFFIXES):
                        yield _member(f"{archive}/{member.name}", tar, member, limits)
                    tar.members.clear()  # type: ignore[attr-defined] # which would hold the headers of all
    except (tarfile.TarError, OSError, EOFError) as error:
        message = f"can not read {archive} to its end: {first_line(error)}"
        yield failing(archive, InputError(message, hint="is it a whole tar archive?"))
    except FacecliError as error:
        yield failing(archive, error)


def _opened(stream: IO[bytes]) -> tarfile.TarFile:
    """Begin an archive, which reads its first header. Raises TarError, OSError, EOFError."""
    with _damage():
        return tarfile.open(fileobj=stream, mode="r|*", tarinfo=_Header)


def _next(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    """Return the next header, None at the end, behind which nothing may be. Raises TarError, OSError, EOFError."""
    with _damage():
        if (member := tar.next()) is not None:
            return member
        rest: Any = tar.fileobj
        while block := rest.read(BLOCK):
            if block.count(0) < len(block):
                raise tarfile.ReadError("there is more behind its end")
    return None


@contextmanager
def _damage() -> Iterator[None]:
    """Turn what tarfile raises for numbers and streams that are damaged into ReadError."""
    try:
        yield
    except (ValueError, OverflowError, zlib.error) as error:
        raise tarfile.ReadError(first_line(error)) from error


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
        path = Path(archive)
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe or a device may never end, or never begin
            raise InputError(f"{archive} is no file", hint="name a tar archive")
        return path.open("rb")
    with objects.told(f"can not read {without_secrets(archive)}", InputError):
        files, inside = objects.opened(archive)
        stream: IO[bytes] = files.open(inside, "rb")
        return stream
