"""The loop of `facecli anonymize`: which file becomes which, and one outcome for each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.errors import FacecliError, UsageError
from facecli.film.address import SUFFIXES as FILMS
from facecli.film.address import address_of, films_below, is_film, recorded
from facecli.pictures.listing import SUFFIXES as PICTURES
from facecli.pictures.listing import expand
from facecli.pictures.sources import Source
from facecli.system.files import is_folder

if TYPE_CHECKING:
    from facecli.anonymise.result import Anonymised
    from facecli.api.anonymising import Anonymizer
    from facecli.types import Limits

WRITTEN = (".mp4", ".m4v", ".mov", ".mkv", ".webm")  # of film.writing, which needs numpy


@dataclass(frozen=True, slots=True)
class Job:
    """One file to anonymise. picture: None for a film. target: the file to write."""

    source: str
    target: Path
    picture: Source | None = None


def jobs(inputs: Sequence[str], out: Path) -> list[Job]:
    """Return one job for each picture and film that inputs name, the pictures of folders and globs among them.

    out: a file for one input, else a folder, which keeps the names below the folders that were named. Raises UsageError
    for places that can not be, before anything is read.
    """
    found = [pair for name in inputs for pair in _named(name)]
    one = len(found) == 1 and not os.path.isdir(inputs[0]) and not is_folder(out) and bool(out.suffix)  # noqa: PTH112
    if one:
        (name, _, picture) = found[0]
        _check_kind(name, out, film=picture is None)
        planned = [Job(name, out, picture)]
    else:
        if out.suffix.lower() in (*PICTURES, *FILMS) and not is_folder(out):
            message = f"{{output}} {out} names one file, and there are several inputs"
            raise UsageError(message, hint="name a folder", about="output")
        planned = _below(found, out)
    _refuse_inputs(planned, inputs, out)
    return planned


def run(anonymizer: Anonymizer, planned: Sequence[Job], limits: Limits) -> Iterator[Anonymised]:
    """Yield one outcome for each job; a failure is in it, and the others go on."""
    from facecli.anonymise.result import Anonymised
    from facecli.system.files import make_folder

    for job in planned:
        kind = "film" if job.picture is None else "picture"
        try:
            make_folder(job.target.parent, parents=True)
            if job.picture is None:
                yield anonymizer.film(address_of(job.source), job.target)
            else:
                yield anonymizer.read_picture(job.picture, job.target, limits)
        except FacecliError as error:
            if error.exit_code != 1:
                raise
            yield Anonymised(job.source, kind, error=error)


def _named(name: str) -> Iterator[tuple[str, str, Source | None]]:
    """Yield the files that one name stands for: name, path below the output folder, and its source if a picture."""
    if os.path.isdir(name):  # noqa: PTH112 # a Path raises for a name that is too long
        films = films_below(Path(name))
        pictures = [source for source in expand([name]) if source.name != name]
        if not films and not pictures:
            raise UsageError(f"no pictures and no films in the folder {name}", hint="files are told by their suffixes")
        yield from ((source.name, os.path.relpath(source.name, name), source) for source in pictures)
        yield from ((film, os.path.relpath(film, name), None) for film in films)
        return
    if is_film(name):
        recorded(name)
        yield name, Path(name).name, None
        return
    for source in expand([name]):
        last = source.name.partition("?")[0].rstrip("/").rpartition("/")[2]
        yield source.name, "stdin.png" if name == "-" else last or "picture", source


def _below(found: Sequence[tuple[str, str, Source | None]], out: Path) -> list[Job]:
    """Return the jobs of files that go into a folder, each under a name of its own."""
    from facecli.anonymise.picture import suffix_for

    taken: set[Path] = set()
    planned = []
    for name, below, picture in found:
        path = out / below
        suffix = path.suffix.lower()
        target = path.with_suffix(suffix_for(below) if picture is not None else suffix if suffix in WRITTEN else ".mp4")
        number = 1
        while target in taken:
            number += 1
            target = target.with_name(f"{path.stem}-{number}{target.suffix}")
        taken.add(target)
        planned.append(Job(name, target, picture))
    return planned


def _check_kind(name: str, out: Path, *, film: bool) -> None:
    from facecli.system.files import check_writable

    if film:
        from facecli.film.writing import form_of

        form_of(out)
    elif "://" in name and out.suffix.lower() in FILMS:
        message = f"{name} is no film's file: a film is read twice"
        raise UsageError(message, hint="record the stream first")
    else:
        from facecli.pictures.codec import check_suffix

        check_suffix(out.suffix)
    check_writable(out)


def _refuse_inputs(planned: Sequence[Job], inputs: Sequence[str], out: Path) -> None:
    """Raise UsageError for a target that is an input, and for an output folder inside an input folder."""
    folder = Path(os.path.realpath(out))
    for name in inputs:
        if os.path.isdir(name) and folder.is_relative_to(os.path.realpath(name)):  # noqa: PTH112
            message = f"{{output}} {out} lies in the input {name}: the next run would take it for one"
            raise UsageError(message, hint="name a folder outside", about="output")
    known = {place: job.source for job in planned if (place := _place(job.source)) is not None}
    for job in planned:
        if (there := _place(job.target)) in known and there is not None:
            message = f"{{output}} {job.target} would overwrite the input {known[there]}"
            raise UsageError(message, hint="name another place", about="output")


def _place(name: str | Path) -> tuple[int, int] | None:
    """Return the device and inode of a file, None for a name that can not be looked up."""
    try:
        status = os.stat(name)  # noqa: PTH116 # a Path of "-" or of a URL is another name
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
