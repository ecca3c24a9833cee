"""Listing the pictures that the user's words mean: files, folders, globs, URLs, stdin, and lists of all these.

Nothing is read here, and a folder is listed when its turn comes: there may be millions of pictures.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from facecli.errors import InputError, UsageError
from facecli.pictures.name_lists import LINE, NUL, NameList, open_list
from facecli.pictures.sources import URL, Source, failing, file_or_url, read_file, reason, single

SUFFIXES = tuple(".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .gif .bmp .dib .tif .tiff .pnm .pbm .pgm .ppm".split())  # noqa: SIM905 # one line


def expand(
    inputs: Sequence[str],
    *,
    files_from: str | None = None,
    files_from0: str | None = None,
    suffixes: tuple[str, ...] = SUFFIXES,
) -> Iterator[Source]:
    """Return the pictures that inputs stand for, and then those of the lists, in that order.

    inputs: files, folders, globs, URLs, or - for a picture on stdin. files_from, files_from0: a file of further names,
    one per line or each ended by a NUL byte; - is stdin. suffixes: of the files of a folder that are meant.

    A name that leads to no picture becomes a source whose `read` raises InputError. Raises UsageError if stdin would be
    read twice, if a list can not be opened, or if nothing was named at all.
    """
    lists = [(name, end) for name, end in ((files_from, LINE), (files_from0, NUL)) if name is not None]
    if not inputs and not lists:
        raise UsageError("no input was named", hint="give pictures, folders, URLs, or - for stdin")
    if [*inputs, *(name for name, _ in lists)].count("-") > 1:
        raise UsageError("stdin can be read only once", hint="write - in one place")
    opened: list[NameList] = []
    with ExitStack() as stack:
        for name, end in lists:
            opened.append(open_list(name, end))
            stack.enter_context(opened[-1].stream)
        closing = stack.pop_all()
    return _expanded(inputs, opened, closing, suffixes)


def _expanded(
    inputs: Sequence[str], lists: Sequence[NameList], closing: ExitStack, suffixes: tuple[str, ...]
) -> Iterator[Source]:
    with closing:
        for name in inputs:
            yield from [single(name)] if name == "-" else _pictures(name, suffixes)
        for one in lists:
            yield from _listed(one, suffixes)


def _listed(names: NameList, suffixes: tuple[str, ...]) -> Iterator[Source]:
    """Yield the pictures that the names in a list stand for; a list that breaks off ends with a failing source."""
    try:
        for name in names.names():
            yield from _pictures(name, suffixes)
    except InputError as error:
        yield failing(names.name, error)


def _pictures(name: str, suffixes: tuple[str, ...]) -> Iterator[Source]:
    """Yield the pictures that one name stands for: a URL, a folder's pictures, a file, or the matches of a glob."""
    if not URL.match(name):
        if os.path.isdir(name):  # noqa: PTH112
            yield from _below(name, suffixes)
            return
        if glob.has_magic(name) and "\0" not in name and not os.path.lexists(name):
            yield from _globbed(name, suffixes)
            return
    yield file_or_url(name)


def _globbed(pattern: str, suffixes: tuple[str, ...]) -> Iterator[Source]:
    """Yield the files that a glob matches and the pictures in the folders that it matches, each once."""
    seen: set[str] = set()
    for match in _matches(pattern):
        for source in _matched(match, suffixes):
            if source.name not in seen:
                seen.add(source.name)
                yield source
    if not seen:
        yield _missing(pattern, "nothing matches", "check the pattern")


def _matched(path: str, suffixes: tuple[str, ...]) -> Iterator[Source]:
    if os.path.isdir(path):  # noqa: PTH112
        yield from _below(path, suffixes)
    elif not _is_special(path):
        yield Source(path, read_file)


def _matches(pattern: str) -> Iterator[str]:
    """Yield the paths that a glob matches, sorted.

    `**/` stands for any folders below, except hidden and linked ones, as in bash.
    """
    pattern = re.sub(r"(^|/)(?:\*\*/+)+", r"\1**/", pattern)  # two in a row mean one, and would walk everything twice
    head, deep, rest = pattern.partition("**/")
    if not deep or (head and not head.endswith("/")):
        yield from sorted(glob.iglob(pattern))  # noqa: PTH207
        return
    for start in sorted(glob.iglob(head)) if head else ["."]:  # noqa: PTH207
        for parent, folders, _ in os.walk(start):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from _matches(os.path.join(glob.escape(parent), rest))  # noqa: PTH118


def _below(folder: str, suffixes: tuple[str, ...]) -> Iterator[Source]:
    """Yield the pictures below a folder: sorted, without hidden ones; links to folders are not followed (`grep -r`)."""
    empty = True
    failures: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=failures.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = os.path.join(parent, name)  # noqa: PTH118
            if not name.startswith(".") and name.lower().endswith(suffixes) and not _is_special(path):
                empty = False
                yield Source(path, read_file)
    for failure in failures:
        yield _missing(str(failure.filename), f"can not list the folder: {reason(failure)}", "check its permissions")
    if empty and not failures:
        yield _missing(folder, "no pictures in the folder", "pictures are told by suffixes such as .jpg, .png, .webp")


def _is_special(path: str) -> bool:
    """Return whether a path is a FIFO, socket or device: they may never end or never begin, and must be named."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116
    except OSError:  # a broken link fails when it is read
        return False


def _missing(name: str, what: str, hint: str) -> Source:
    return failing(name, InputError(f"{what}: {name}", hint=hint))
