"""Lists of file names: one name per line, or names that end with a NUL byte, as `find -print0` writes them.

A list may be a pipe that another program still writes to: names are given as they arrive.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase

from facecli.errors import InputError, UsageError
from facecli.pictures.sources import BLOCK, open_stdin, reason

LONGEST_NAME = 2**16  # bytes; more than any file system allows
LINE, NUL = b"\n", b"\0"


@dataclass(frozen=True, slots=True)
class NameList:
    """An open list. name: of the list itself, "-" for stdin. end: the byte after each name, LINE or NUL."""

    name: str
    stream: BufferedIOBase
    end: bytes

    def names(self) -> Iterator[str]:
        """Yield the names in the list, empty ones left out; bytes that are no UTF-8 as surrogateescape decodes them.

        Raises InputError if the list can not be read to its end or has a name above LONGEST_NAME.
        """
        rest = b""
        while chunk := self._chunk():
            *complete, rest = (rest + chunk).split(self.end)
            yield from self._checked(complete)
            if len(rest) > LONGEST_NAME:
                break  # refused below: an endless line must not be waited for
        yield from self._checked([rest])

    def _chunk(self) -> bytes:
        try:
            return self.stream.read1(BLOCK)
        except (OSError, ValueError) as error:
            raise InputError(f"can not read the list: {reason(error)}", hint="check what it is") from error

    def _checked(self, records: list[bytes]) -> Iterator[str]:
        for record in records:
            if len(record) > LONGEST_NAME:
                raise InputError(
                    f"the list has a name of more than {LONGEST_NAME} bytes", hint="is it a list of names?"
                )
            if name := record.removesuffix(b"\r") if self.end == LINE else record:
                yield os.fsdecode(name)


def open_list(name: str, end: bytes) -> NameList:
    """Open a list; "-" is stdin. Raises UsageError if it can not be opened, InputError if stdin is closed."""
    if name == "-":
        return NameList(name, open_stdin(), end)
    try:
        return NameList(name, open(name, "rb"), end)  # noqa: PTH123 # Path("") would be "."
    except OSError as error:
        raise UsageError(f"can not read the list {name}: {reason(error)}", hint="check the name") from error
