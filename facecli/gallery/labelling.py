"""The person whom each picture of an enrolment is said to show: a name that was given, or the name of a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from facecli.errors import FacecliError, InputError
from facecli.gallery import names
from facecli.pictures.listing import expand
from facecli.pictures.sources import URL, Source
from facecli.types import Image


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture with its person's name; None where it has none, and `error` says why.

    how: the way on which it came, kept with its face.
    """

    picture: Source | Image
    person: str | None
    error: FacecliError | None = None
    how: str = "enroll"

    @property
    def source(self) -> str:
        """The picture's name."""
        return self.picture.source if isinstance(self.picture, Image) else self.picture.name


def named(pictures: Iterable[Source | Image], name: str) -> Iterator[Labelled]:
    """Return pictures that all show one person. Raises UsageError for a text that can not be a name."""
    person = names.clean(name)
    return (Labelled(picture, person) for picture in pictures)


def by_folder(
    inputs: Sequence[str], *, files_from: str | None = None, files_from0: str | None = None
) -> Iterator[Labelled]:
    """Return the pictures of folders and lists, each with the person whose name its folder has.

    Of `people` these are the folders in it, people/NAME/... ; of a folder without folders it is its own name, and of
    any other picture the name of the folder that it lies in. Raises UsageError as pictures.listing.expand does.
    """
    expand(inputs, files_from=files_from, files_from0=files_from0)  # raises, before any work
    return _by_folder(inputs, files_from, files_from0)


def of_job(inputs: Sequence[str]) -> Callable[[str], str]:
    """Return what tells the person of a job's picture by its whole name, as by_folder does of the same inputs.

    inputs: those of the job. It raises InputError for a picture that lies in no person's folder.
    """
    tops = [PurePath(name.removesuffix("**")) for name in inputs]

    def person(source: str) -> str:
        path = PurePath(source)
        for top in tops:
            if path != top and path.is_relative_to(top):
                below, folder = path.relative_to(top).parts, Path(top)
                return names.clean(_below(source, below) if len(below) > 1 or _has_folders(folder) else top.name)
        if not path.parent.name:
            raise InputError(f"{source} lies in no person's folder", hint="give {name}", about="name")
        return names.clean(path.parent.name)

    return person


def _by_folder(inputs: Sequence[str], files_from: str | None, files_from0: str | None) -> Iterator[Labelled]:
    for name in inputs:
        top = Path(name) if not URL.match(name) and os.path.isdir(name) else None  # noqa: PTH112 # a name may be too long
        of_people = top is not None and _has_folders(top)
        for source in expand((name,)):
            yield _labelled(source, top, of_people)
    if files_from is not None or files_from0 is not None:
        for source in expand((), files_from=files_from, files_from0=files_from0):
            yield _labelled(source, None, False)


def _labelled(source: Source, top: Path | None, of_people: bool) -> Labelled:
    try:
        return Labelled(source, names.clean(_folder_of(source.name, top, of_people)))
    except FacecliError as error:
        return Labelled(source, None, error)


def _folder_of(name: str, top: Path | None, of_people: bool) -> str:
    """Return the folder's name that a picture's person has. Raises InputError if it lies in no person's folder."""
    if name == "-" or URL.match(name):
        raise InputError(f"nothing tells whom {name} shows", hint="give {name}", about="name")
    if top is None:
        return Path(name).absolute().parent.name
    if not of_people:
        return top.resolve().name
    return _below(name, Path(name).relative_to(top).parts)


def _below(name: str, below: tuple[str, ...]) -> str:
    """Return the folder among those of people, given the parts of a name below them. Raises InputError for none."""
    if len(below) < 2:
        message = f"{name} lies beside the folders of people, not in one"
        raise InputError(message, hint="move it into its person's folder")
    return below[0]


def _has_folders(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entry.is_dir() and not entry.name.startswith(".") for entry in entries)
    except OSError:  # which is told when the folder is listed
        return False
