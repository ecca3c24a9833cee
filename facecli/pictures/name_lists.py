"""Lists of file names: one name per line, or names that end with a NUL byte, as `find -print0` writes them.

A list may be a pipe that another program still writes to: names are given as they arrive.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase

from facecli.errors import InputError, UsageError
from facecli.pictures.sources import BLOCK, open_stdin, reason

LONGEST_NAME = 2**16  # bytes; more than any file system allows
MOST_EMPTY = 2**16  # empty names in a row; /dev/zero is an endless list of them
LINE, NUL = b"\n", b"\0"


@dataclass(frozen=True, slots=True)
class NameList:
    """An open list. name: of the list itself, "-" for stdin. end: the byte after each name, LINE or NUL."""

    name: str
    stream: BufferedIOBase
    end: bytes

    def names(self) -> Iterator[str]:
        """Yield the names in the list, empty ones left out; bytes that are no UTF-8 as surrogateescape decodes them.

        A byte order mark, with which Windows begins a text, is no part of the first name. Raises InputError if the list
        can not be read to its end, if it is UTF-16, or if it has a name above LONGEST_NAME or no names for too long.
        """
        empty = 0
        for record in self._records():
            name = record.removesuffix(b"\r") if self.end == LINE else record
            empty = 0 if name else empty + 1
            if empty > MOST_EMPTY:
                raise InputError(f"the list has {empty} empty names in a row", hint="is it a list of names?")
            if len(record) > LONGEST_NAME:
                message = f"the list has a name of more than {LONGEST_NAME} bytes"
                raise InputError(message, hint="is it a list of names?")
            if name:
                yield os.fsdecode(name)

    def _records(self) -> Iterator[bytes]:
        """Yield what stands between the ends; the last one is cut where it has become too long for a name."""
        rest = b""
        for chunk in self._chunks():
            *complete, rest = (rest + chunk).split(self.end)
            yield from complete
            if len(rest) > LONGEST_NAME:
                break  # an endless line must not be waited for
        yield rest

    def _chunks(self) -> Iterator[bytes]:
        """Yield the list piece by piece, without a byte order mark. Raises InputError for UTF-16."""
        start = self._chunk()
        if self.end == LINE:
            if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise InputError("the list is UTF-16, which is not read", hint="save it as UTF-8")
            start = start.removeprefix(codecs.BOM_UTF8)
        yield start
        while chunk := self._chunk():
            yield chunk

    def _chunk(self) -> bytes:
        try:
            return self.stream.read1(BLOCK)
        except (OSError, ValueError) as error:
            raise InputError(f"can not read the list: {reason(error)}", hint="check what it is") from error


def open_list(name: str, end: bytes) -> NameList:
    """Open a list; "-" is stdin. Raises UsageError if it can not be opened, InputError if stdin is closed."""
    if name == "-":
        return NameList(name, open_stdin(), end)
    try:
        return NameList(name, open(name, "rb"), end)  # noqa: PTH123 # Path("") would be "."
    except OSError as error:
        raise UsageError(f"can not read the list {name}: {reason(error)}", hint="check the name") from error
