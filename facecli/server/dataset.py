"""A folder of people that is looked after: `unTrained_data/NAME/picture.jpg` is enrolled and moves to `Trained_data`.

The four folders are those of the project Face_And_Emotions_Recognition. `Embeddings` holds the gallery, and
`RecycleBin` the pictures of single faces that were removed, until somebody empties it or the person is erased.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from facecli.errors import OutputError, UsageError
from facecli.gallery import names
from facecli.gallery.store.records import StoredFace
from facecli.system.files import make_folder, sha256_of

GALLERY, BIN, TRAINED, UNTRAINED = "Embeddings", "RecycleBin", "Trained_data", "unTrained_data"
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A picture that is to be enrolled. target: its path within the dataset afterwards. mark: changes with the file."""

    path: Path
    person: str
    target: str
    mark: tuple[int, int]


class Dataset:
    """The folders of one dataset, which are made if there are none. Raises OutputError where they can not be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in (GALLERY, BIN, TRAINED, UNTRAINED):
            make_folder(folder / name, parents=True)

    def waiting(self) -> Iterator[Waiting]:
        """Yield the pictures that lie in people's folders of unTrained_data, in the order of names; links are left."""
        for folder in _sorted(self._folder / UNTRAINED):
            if not folder.is_dir(follow_symlinks=False):
                continue
            for file in _sorted(folder.path):
                if not file.is_file(follow_symlinks=False) or not file.name.lower().endswith(SUFFIXES):
                    continue
                try:
                    state = file.stat(follow_symlinks=False)
                except FileNotFoundError:  # it was taken away meanwhile
                    continue
                target = self._free(f"{TRAINED}/{folder.name}/{file.name}")
                yield Waiting(Path(file.path), folder.name, target, (state.st_size, state.st_mtime_ns))

    def trained(self, picture: Waiting) -> None:
        """Move a picture that is enrolled to its target. Raises OutputError."""
        self._move(picture.path, picture.target)

    def recycle(self, face: StoredFace) -> None:
        """Move the picture of a face that was removed to the bin, if it came from the dataset. Raises OutputError."""
        if (path := self._picture(face)) is not None:
            self._move(path, self._free(f"{BIN}/{path.parent.name}/{path.name}"))

    def erase(self, person: str, faces: Iterable[StoredFace]) -> None:
        """Delete the pictures of a person. Raises OutputError.

        They are the files of Trained_data that have the bytes of one of their faces' pictures, wherever they lie, and
        what is in the folders of their name in unTrained_data and RecycleBin. Folders that are empty then go, too.
        """
        known = {face.sha256 for face in faces}
        trained = [path for path in self._files(TRAINED) if sha256_of(path) in known]
        own = {path.parent.name for path in trained}  # also of a name that the person had before
        folders = {(place, name) for place in (UNTRAINED, TRAINED, BIN) for name in self._called(place, person)}
        folders |= {(BIN, name) for name in own}
        waiting = [Path(file.path) for place, name in folders if place != TRAINED for file in self._held(place, name)]
        for path in (*waiting, *trained):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(f"can not delete {path}: {error.strerror}", hint="delete it by hand") from error
        for place, name in folders | {(TRAINED, name) for name in own}:
            with contextlib.suppress(OSError):  # something else is in it, or it is not there
                (self._folder / place / name).rmdir()

    def _files(self, place: str) -> Iterator[Path]:
        """Yield the files in the folders of one of the four; links are left."""
        for folder in _sorted(self._folder / place):
            if folder.is_dir(follow_symlinks=False):
                yield from (Path(file.path) for file in self._held(place, folder.name) if not file.is_symlink())

    def _held(self, place: str, name: str) -> list[os.DirEntry[str]]:
        """Return the files and links in a person's folder of one of the four."""
        folder = self._folder / place / name
        if not folder.is_dir() or folder.is_symlink():
            return []
        return [file for file in _sorted(folder) if not file.is_dir(follow_symlinks=False)]

    def _called(self, place: str, person: str) -> set[str]:
        """Return the folders of one of the four whose name is a person's, as names are compared."""
        return {entry.name for entry in _sorted(self._folder / place) if _key(entry.name) == names.key(person)}

    def _picture(self, face: StoredFace) -> Path | None:
        """Return the file of a face's picture in Trained_data, None if it is not there, or not as it was."""
        parts = () if face.source is None else PurePosixPath(face.source).parts
        if len(parts) != 3 or parts[0] != TRAINED or not all(map(_is_plain, parts)):
            return None
        path = self._folder.joinpath(*parts)
        return path if path.is_file() and not path.is_symlink() and sha256_of(path) == face.sha256 else None

    def _free(self, target: str) -> str:
        """Return a path within the dataset that nothing has, with a number at its end if it must be."""
        path = PurePosixPath(target)
        number = 1
        while os.path.lexists(self._folder / target):
            number += 1
            target = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
        return target

    def _move(self, path: Path, target: str) -> None:
        make_folder((self._folder / target).parent, parents=True)
        try:
            path.rename(self._folder / target)
        except OSError as error:
            raise OutputError(f"can not move {path}: {error.strerror}", hint="look whose files they are") from error


def gallery_of(folder: Path) -> Path:
    """Return the gallery's file of a dataset."""
    return folder / GALLERY / "gallery.db"


def _sorted(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:  # it was taken away meanwhile
        return []


def _is_plain(name: str) -> bool:
    """Return whether a text is the name of one file or folder and leads nowhere else."""
    return name not in ("", ".", "..") and "/" not in name and "\\" not in name and "\0" not in name


def _key(folder: str) -> str | None:
    """Return the form in which the name of a folder is compared, None if it can be nobody's."""
    try:
        return names.key(folder)
    except UsageError:
        return None
