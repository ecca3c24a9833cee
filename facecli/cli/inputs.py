"""The pictures that a command reads, protected against the pictures and files that it writes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from facecli.cli.settings import InputSettings
from facecli.errors import UsageError

if TYPE_CHECKING:
    from facecli.output.overwriting import OutputPaths
    from facecli.pictures.sources import Source


def open_sources(reading: InputSettings, paths: OutputPaths) -> Iterator[Source]:
    """Return the sources that a command's inputs and lists name.

    paths: the places that the command writes to, none of which may be an input: raises UsageError where that shows at
    once; a picture that would be overwritten among many fails instead of being read.
    """
    from facecli.output.overwriting import protected
    from facecli.pictures.listing import expand

    sources = expand(reading.inputs, files_from=reading.files_from, files_from0=reading.files_from0)
    return protected(sources, reading.inputs, paths, many=count_inputs(reading) != 1)


def total(reading: InputSettings) -> int | Callable[[], int] | None:
    """Return how many pictures the inputs are; where folders or globs are among them, a function that lists and counts.

    None for lists, which may come through a pipe that is read once.
    """
    known = count_inputs(reading)
    if known is not None or reading.files_from or reading.files_from0:
        return known

    def count() -> int:
        from facecli.pictures.listing import expand

        return sum(1 for _ in expand(reading.inputs))

    return count


def count_inputs(reading: InputSettings) -> int | None:
    """Return how many pictures the inputs are, None if only a look at folders and lists could tell.

    Raises UsageError if there is no input at all.
    """
    if reading.files_from or reading.files_from0:
        return None
    if not reading.inputs:
        raise UsageError("no input", hint="name files, folders, globs or URLs, or - for a picture on stdin")
    # os.path: a Path raises for a name that is too long.
    unknown = any(os.path.isdir(name) or set("*?[") & set(name) for name in reading.inputs)  # noqa: PTH112
    return None if unknown else len(reading.inputs)
