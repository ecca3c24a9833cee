"""Names for the files that many results leave in one folder.

Crops, annotated copies and the check that none of them overwrites an input must derive equal names from equal sources.
"""

from __future__ import annotations

from pathlib import Path

from facecli.system.files import is_folder


class FileNames:
    """File names without suffix: the source's own name, with a number behind it if another source has that name.

    Numbers depend on the order of the sources. Whoever counts must therefore take a name for every source, in order,
    also for one that can not be read.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, source: str) -> str:
        """Return the name for a source, and keep it from all later ones."""
        stem = Path(source.rstrip("/").rpartition("/")[2].partition("?")[0]).stem or "picture"
        stem = "stdin" if source == "-" else stem
        name, number = stem, 1
        while name in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name)
        return name


def annotated_copy(folder: Path, name: str) -> Path:
    """Return the path of an annotated copy in a folder of them. name: of the source, from FileNames."""
    return folder / f"{name}.jpg"


def names_folder(out: Path, *, many: bool) -> bool:
    """Return whether the place for annotated copies is a folder: for many pictures, and for a name without suffix."""
    return many or is_folder(out) or not out.suffix
