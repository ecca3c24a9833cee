"""People in folders, people/NAME/picture.jpg, for the measuring of identification: who each picture shows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from facecli.errors import UsageError
from facecli.evaluation.identification import Person
from facecli.matching.stored import StoredEmbeddings
from facecli.pictures.listing import expand
from facecli.pipeline.results import ImageResult
from facecli.types import FloatArray


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, by its name, and the person whom it shows."""

    picture: str
    person: str


def in_folder(folder: Path, *, strangers: bool) -> list[Shown]:
    """Return the pictures of a folder of people's folders. strangers: a picture beside them shows one more person.

    Raises UsageError for a picture that lies in nobody's folder, for a folder without pictures, and for what is none.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hint="name a folder with people/NAME/picture.jpg")
    return _shown([source.name for source in expand([str(folder)])], folder, strangers=strangers)


def in_file(stored: StoredEmbeddings, *, strangers: bool) -> list[Shown]:
    """Return who is in each row of stored embeddings, by the folders that their pictures were in; see `in_folder`."""
    folders = [os.path.dirname(name) for name in stored.sources]  # noqa: PTH120 # of a name, which may be a URL
    try:
        top = os.path.commonpath(folders) if folders else ""
    except ValueError as error:
        message = "some of the pictures have absolute names and others have not, so that no folder is common to them"
        raise UsageError(message, hint="embed one folder with people/NAME/picture.jpg") from error
    return _shown(list(stored.sources), PurePath(top), strangers=strangers)


def people_in_results(shown: Sequence[Shown], results: Iterable[ImageResult]) -> dict[str, Person]:
    """Return the people of pictures after the stages. results: one for each picture, in order, of one face at most."""
    embeddings = [result.embeddings if result.error is None else None for result in results]
    return _people(shown, [None if found is None or not len(found) else found[:1] for found in embeddings])


def people_in_rows(shown: Sequence[Shown], stored: StoredEmbeddings) -> dict[str, Person]:
    """Return the people of stored embeddings, of each picture the first face."""
    seen: set[str] = set()
    chosen = []
    for row, one in enumerate(shown):
        if one.picture not in seen:
            chosen.append(row)
            seen.add(one.picture)
    return _people([shown[row] for row in chosen], [stored.rows[row : row + 1] for row in chosen])


def _people(shown: Sequence[Shown], rows: Sequence[FloatArray | None]) -> dict[str, Person]:
    found: dict[str, list[FloatArray]] = {}
    failed: dict[str, int] = {}
    for one, row in zip(shown, rows, strict=True):
        own = found.setdefault(one.person, [])
        if row is None:
            failed[one.person] = failed.get(one.person, 0) + 1
        else:
            own.append(row)
    return {
        name: Person(np.concatenate(own) if own else np.zeros((0, 1), np.float32), failed.get(name, 0))
        for name, own in found.items()
    }


def _shown(pictures: Sequence[str], top: PurePath, *, strangers: bool) -> list[Shown]:
    if not pictures:
        raise UsageError(f"there is no picture in {top}", hint="name a folder with people/NAME/picture.jpg")
    shown = []
    for picture in pictures:
        parts = PurePath(picture).relative_to(top).parts
        if len(parts) < 2 and not strangers:
            message = f"{picture} lies in nobody's folder"
            raise UsageError(message, hint="name a folder with people/NAME/picture.jpg")
        shown.append(Shown(picture, parts[0]))
    return shown
