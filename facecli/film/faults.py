"""FFmpeg's failures in words: what is wrong with a film, and what can be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facecli.errors import DecodeError, FacecliError, FetchError, InputError
from facecli.film import library
from facecli.film.address import Address


@contextmanager
def told(address: Address, *, opened: bool) -> Iterator[None]:
    """Turn what PyAV raises inside the block into one of our errors. opened: the film's head was read before."""
    av = library.require()
    try:
        yield
    except av.error.FFmpegError as error:
        raise fault(address, error, opened=opened) from None  # its text has the address, with a password


def fault(address: Address, error: Exception, *, opened: bool) -> FacecliError:
    """Return our error for one of PyAV's."""
    av = library.require()
    name, reason = address.source, str(getattr(error, "strerror", "")) or type(error).__name__
    if isinstance(error, av.error.InvalidDataError):
        if opened:
            hint = "save it first: most MP4s are read from their end" if address.pipe else "what came before is told"
            return DecodeError(f"{name} is damaged or cut off: FFmpeg can not read on", hint=hint)
        return DecodeError(f"{name} can not be read as a film", hint=_hint(address))
    if address.network and opened:
        return FetchError(f"{name} broke off: {reason}", hint="is the other side still on?")
    if address.network:
        hint = "check the address, user name and password, and that the other side is on"
        return FetchError(f"{name} does not answer with a film: {reason}", hint=hint)
    if isinstance(error, (av.error.FileNotFoundError, av.error.PermissionError)) or address.live:
        return InputError(f"{name} can not be opened: {reason}", hint="check the name and its permissions")
    return DecodeError(f"{name} can not be read: {reason}", hint="try another copy of the film")


def _hint(address: Address) -> str:
    """Return what may be wrong with what FFmpeg takes for no film, by how its file begins."""
    begin = None
    with suppress(OSError, ValueError):
        if not (address.live or address.network):
            with Path(address.source).open("rb") as file:
                begin = file.read(12)
    if begin == b"":
        return "the file is empty"
    if begin is not None and begin[4:8] in (b"ftyp", b"mdat", b"wide", b"free"):
        return "an MP4 without its index can not be read: was the recording cut off?"
    return "is it a film?"
