"""TODO: facecli.pictures.listing."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from io import BufferedIOBase
from typing import TYPE_CHECKING

from facecli.errors import InputError, UsageError
from facecli.pictures.sources import _BLOCK, _URL, Source, _read_file, _read_url, _stdin, _why, single

if TYPE_CHECKING:
    from facecli.types import Limits


SUFFIXES = tuple(".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .gif .bmp .dib .tif .tiff .pnm .pbm .pgm .ppm".split())  # noqa: SIM905 # one line
_LONGEST_NAME = 2**16  # bytes in a list; no file system has longer ones


def expand(inputs: Sequence[str], *, files_from: str | None = None, files_from0: str | None = None) -> Iterator[Source]:
    """The pictures that the user's words stand for, in that order; nothing is read, folders are listed one by one.

    files_from, files_from0: a file of further names, one per line or NUL-terminated; `-` is stdin. What can not be
    found becomes a Source whose read raises InputError. Raises UsageError if stdin would be read twice, if a list can
    not be opened, or if nothing was named at all.
    """
    lists = [(name, end) for name, end in ((files_from, b"\n"), (files_from0, b"\0")) if name is not None]
    if not inputs and not lists:
        raise UsageError("no input was named", hint="give pictures, folders, URLs, or - for stdin")
    if [*inputs, *(name for name, _ in lists)].count("-") > 1:
        raise UsageError("stdin can be read only once", hint="write - in one place")
    with ExitStack() as stack:
        opened = [(name, stack.enter_context(_open_list(name)), end) for name, end in lists]
        closing = stack.pop_all()
    return _expanded(inputs, opened, closing)


def _expanded(
    inputs: Sequence[str], lists: list[tuple[str, BufferedIOBase, bytes]], closing: ExitStack
) -> Iterator[Source]:
    with closing:
        for name in inputs:
            yield from [single(name)] if name == "-" else _found(name)
        for name, handle, end in lists:
            yield from _listed(name, handle, end)


def _open_list(name: str) -> BufferedIOBase:
    if name == "-":
        return _stdin()
    try:
        return open(name, "rb")  # noqa: PTH123 # expand closes it; Path("") would be "."
    except OSError as error:
        raise UsageError(f"can not read the list {name}: {_why(error)}", hint="check the name") from error


def _listed(name: str, handle: BufferedIOBase, end: bytes) -> Iterator[Source]:
    """What the names of a list stand for; a list that breaks off ends with a Source that tells why."""
    try:
        for record in _records(handle, end):
            yield from _found(os.fsdecode(record))
    except InputError as error:
        yield _failing(name, error)


def _records(handle: BufferedIOBase, end: bytes) -> Iterator[bytes]:
    """The parts of a stream up to each `end`, as they arrive; empty ones are skipped."""
    rest = b""
    while chunk := _chunk(handle):
        *whole, rest = (rest + chunk).split(end)
        yield from _named(whole, end)
        if len(rest) > _LONGEST_NAME:
            break  # told below: the rest of an endless line is not waited for
    yield from _named([rest], end)


def _chunk(handle: BufferedIOBase) -> bytes:
    try:
        return handle.read1(_BLOCK)
    except (OSError, ValueError) as error:
        raise InputError(f"can not read the list: {_why(error)}", hint="check what it is") from error


def _named(records: list[bytes], end: bytes) -> Iterator[bytes]:
    for record in records:
        if len(record) > _LONGEST_NAME:
            raise InputError(f"the list has a name of more than {_LONGEST_NAME} bytes", hint="is it a list of names?")
        if name := record.removesuffix(b"\r") if end == b"\n" else record:
            yield name


def _found(name: str) -> Iterator[Source]:
    """What one name stands for: a URL, a folder's pictures, a file, or what a glob matches."""
    if _URL.match(name):
        yield Source(name, _read_url)
    elif os.path.isdir(name):  # noqa: PTH112
        yield from _walk(name)
    elif glob.has_magic(name) and "\0" not in name and not os.path.lexists(name):
        yield from _globbed(name)
    else:
        yield Source(name, _read_file)


def _globbed(pattern: str) -> Iterator[Source]:
    """The files that a glob matches and the pictures in the folders that it matches, each once."""
    seen: set[str] = set()
    for match in _matches(pattern):
        found = _walk(match) if os.path.isdir(match) else [] if _special(match) else [Source(match, _read_file)]  # noqa: PTH112
        for source in found:
            if source.name not in seen:
                seen.add(source.name)
                yield source
    if not seen:
        yield _missing(pattern, "nothing matches", "check the pattern")


def _matches(pattern: str) -> Iterator[str]:
    """What a glob matches, sorted; `**/` stands for any folders below, hidden and linked ones left out as in bash."""
    pattern = re.sub(r"(^|/)(?:\*\*/+)+", r"\1**/", pattern)  # two in a row mean one, and would walk everything twice
    head, deep, rest = pattern.partition("**/")
    if not deep or (head and not head.endswith("/")):
        yield from sorted(glob.iglob(pattern))  # noqa: PTH207
        return
    for start in sorted(glob.iglob(head)) if head else ["."]:  # noqa: PTH207
        for parent, folders, _ in os.walk(start):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from _matches(os.path.join(glob.escape(parent), rest))  # noqa: PTH118


def _walk(folder: str) -> Iterator[Source]:
    """The pictures below a folder: sorted, hidden ones skipped, links to folders not followed (as `grep -r`)."""
    found = False
    failures: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=failures.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = os.path.join(parent, name)  # noqa: PTH118
            if not name.startswith(".") and name.lower().endswith(SUFFIXES) and not _special(path):
                found = True
                yield Source(path, _read_file)
    for failure in failures:
        yield _missing(str(failure.filename), f"can not list the folder: {_why(failure)}", "check its permissions")
    if not found and not failures:
        yield _missing(folder, "no pictures in the folder", "pictures are told by suffixes such as .jpg, .png, .webp")


def _special(path: str) -> bool:
    """Whether it is a FIFO, socket or device, which is read only when it is named: it may never end or never begin."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116
    except OSError:  # a broken link is told when it is read
        return False


def _missing(name: str, what: str, hint: str) -> Source:
    return _failing(name, InputError(f"{what}: {name}", hint=hint))


def _failing(name: str, error: InputError) -> Source:
    def fail(_name: str, _limits: Limits) -> bytes:
        raise error

    return Source(name, fail)
