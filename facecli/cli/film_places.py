"""The places that a command writes to while it follows films, checked before any work."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.errors import UsageError
from facecli.film.address import Address
from facecli.output.file_names import FileNames
from facecli.system.files import check_writable, is_folder, make_folder
from facecli.system.portable_names import PortableNames

if TYPE_CHECKING:
    from facecli.cli.settings import FilmSettings

_COPY = ("codec", "annotate")


def targets(place: Path | None, addresses: Sequence[Address]) -> dict[str, Path]:
    """Return the place of each film's annotated copy, by the film's name; empty if there are none.

    place: a file, or a folder for several films, None for no copies.
    """
    if place is None:
        return {}
    if len(addresses) == 1 and not is_folder(place):
        return {addresses[0].source: place}
    names, portable, found = FileNames(), PortableNames(), {}
    for one in addresses:
        name = one.source.partition("?")[0].rstrip("/").rpartition("/")[2]
        stem = (name if one.live else name.rpartition(".")[0]) or "film"
        own = names.take(f"{stem}.mp4").replace(":", "-")
        found[one.source] = place / f"{portable.of(own)}.mp4"
    return found


def check(
    settings: FilmSettings,
    names: Sequence[str],
    sources: Sequence[str],
    copies: Mapping[str, Path],
    output: Path | None,
) -> None:
    """Raise an error for places that can not be written, that are inputs, or that are each other.

    names: of the films, sources: the same as they are shown. copies: from `targets`. output: the file of what is told.
    """
    from facecli.film import writing
    from facecli.output.overwriting import refuse_inputs
    from facecli.system import folders

    for number, source in enumerate(sources):
        if source in sources[:number]:
            raise UsageError(f"{source} was named twice", hint="nothing would tell its tracks apart")
    if settings.mot is not None and len(names) != 1:
        raise UsageError("--mot is for one film", hint="track the films one by one")
    if settings.annotate is None and settings.codec is not None:
        raise UsageError("{codec} is of the annotated film, and none is made", hint="add {annotate}", about=_COPY)
    files = [("mot", settings.mot), *(("annotate", one) for one in copies.values()), ("output", output)]
    _refuse_each_other([*files, ("crops", settings.crops)])
    if settings.crops is not None:
        folders.check_writable(settings.crops)
    if settings.mot is not None:
        refuse_inputs(settings.mot, names, "mot")
        check_writable(settings.mot)
    if settings.annotate is not None and len(names) > 1:
        make_folder(settings.annotate)
    for target in copies.values():
        refuse_inputs(target, names, "annotate")
        writing.check(target, settings.codec)


def _refuse_each_other(places: Sequence[tuple[str, Path | None]]) -> None:
    """Raise UsageError for two settings that name one place, whether it is there or not."""
    taken: dict[str, str] = {}
    for setting, path in places:
        if path is None:
            continue
        other = taken.setdefault(os.path.realpath(path), setting)
        if other != setting:
            message = f"{{{other}}} and {{{setting}}} would both write {path}"
            raise UsageError(message, hint="name two places", about=(other, setting))
