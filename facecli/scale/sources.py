"""Pictures of a job: names of files, of URLs and of objects in a store to sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from facecli.errors import InputError, UsageError
from facecli.pictures.listing import SUFFIXES, expand
from facecli.pictures.sources import Source, file_or_url, read_file, read_url, too_large
from facecli.places import objects
from facecli.places.opening import in_store
from facecli.redaction import without_secrets
from facecli.scale.listing import ARCHIVES
from facecli.types import Limits

MEANT = (*SUFFIXES, *ARCHIVES)  # the suffixes of pictures and archives
MAGIC = re.compile(r"[*?[]")  # what makes a name a glob


def named(inputs: Sequence[str], *, files_from: str | None = None, files_from0: str | None = None) -> Iterator[str]:
    """Yield the name of each picture and archive that inputs stand for, and then those of the lists.

    Raises UsageError for stdin and for a URL with a secret in it, which a frozen list would keep, and InputError for a
    name that stands for no picture: before any work is done nothing is lost by it.
    """
    if "-" in inputs:
        raise UsageError("a picture on stdin is no input of a job", hint="save it as a file")
    if not (inputs or files_from is not None or files_from0 is not None):
        raise UsageError("no input was named", hint="give pictures, folders, globs, lists, or URLs of a store")
    for name in inputs:
        yield from _listed(name) if in_store(name) else _expanded(expand((name,), suffixes=MEANT))
    if files_from is not None or files_from0 is not None:
        yield from _expanded(expand((), files_from=files_from, files_from0=files_from0, suffixes=MEANT))


def opened(name: str) -> Source:
    """Return the source of a name of the frozen list."""
    return Source(name, _read_object) if in_store(name) else file_or_url(name)


def _expanded(sources: Iterator[Source]) -> Iterator[str]:
    """Yield the names of sources. Raises the error of one that stands for no picture; reading it tells."""
    for source in sources:
        if source.secret is not None:
            raise _secret(source.name)
        if source.reader not in (read_file, read_url):
            source.read(Limits())
        yield from _listed(source.name) if in_store(source.name) and not _plain(source.name) else (source.name,)


def _plain(name: str) -> bool:
    """Return whether a name in a list is that of one object by its suffix: millions of them are not asked for."""
    return name.lower().endswith(MEANT) and not MAGIC.search(name)


def _secret(shown: str) -> UsageError:
    message = f"{shown} holds a secret, which the frozen list would keep"
    return UsageError(message, hint="give credentials in the environment")


def _listed(name: str) -> Iterator[str]:
    """Yield the objects that a URL stands for: itself, those that it matches as a glob, or the pictures below it.

    What a glob matches, or one prefix, is held in memory at once. Raises InputError if there is none.
    """
    if without_secrets(name) != name:
        raise _secret(without_secrets(name))
    files, path = objects.opened(name)
    scheme = name.partition("://")[0]
    found = False
    with objects.told(f"can not list {name}", InputError):
        for one in _paths(files, path):
            found = True
            yield f"{scheme}://{one.lstrip('/') if scheme != 'file' else one}"
    if not found:
        raise InputError(f"nothing matches {name}", hint="check the name; pictures are told by suffixes such as .jpg")


def _paths(files: Any, path: str) -> Iterator[str]:
    magic = MAGIC.search(path) is not None
    if not magic and not path.endswith("/") and files.isfile(path):
        yield path
        return
    if magic and not path.endswith("/**"):
        yield from sorted(files.glob(path))
        return
    for parent, folders, names in files.walk(path.removesuffix("**").rstrip("/"), detail=False):
        folders.sort()
        files.dircache.clear()
        for name in sorted(names):
            if name.lower().endswith(MEANT):
                yield f"{parent}/{name}"


def _read_object(name: str, limits: Limits, large: Callable[[], None]) -> bytes:
    """Return the bytes of an object in a store. Raises InputError."""
    with objects.told(f"can not read {name}", InputError):
        files, path = objects.opened(name)
        try:
            data = objects.fetched(files, path, limits.max_bytes, large)
        except FileNotFoundError as error:
            raise InputError(f"can not read {name}: there is no such object", hint="check the name") from error
    if len(data) > limits.max_bytes:
        raise too_large(name, limits)
    return data
