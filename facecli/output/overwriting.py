"""Checks of the places that a command writes to: none of them may be one of its inputs.

A name may lead to an input in many ways: links, other spellings, a folder that holds it. Files are therefore compared
by device and inode.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from facecli.errors import OutputError, UsageError
from facecli.output.file_names import FileNames, annotated_copy, names_folder
from facecli.pictures.sources import Source, failing


@dataclass(frozen=True, slots=True)
class OutputPaths:
    """The places that a command writes to; None for a kind of output that it does not write.

    crops: a folder. annotate: a file or a folder for annotated copies. output: a file.
    Errors name a place by its field.
    """

    crops: Path | None = None
    annotate: Path | None = None
    output: Path | None = None


def protected(
    sources: Iterable[Source], inputs: tuple[str, ...], paths: OutputPaths, *, many: bool
) -> Iterator[Source]:
    """Return the sources; those whose annotated copy would overwrite an input raise OutputError instead of being read.

    inputs: the names that the user gave, which the sources come from. many: whether there may be several sources.

    Raises UsageError, before any source is read, for an output that is one of the inputs.
    """
    if paths.crops is not None:
        refuse_inputs(paths.crops, inputs, "crops")
    if paths.output is not None:
        refuse_inputs(paths.output, inputs, "output")
    if paths.annotate is None:
        return iter(sources)
    if names_folder(paths.annotate, many=many):
        return _guarded(sources, paths.annotate, inputs)
    refuse_inputs(paths.annotate, inputs, "annotate")
    return iter(sources)


def refuse_inputs(target: Path, inputs: Iterable[str | Path], setting: str) -> None:
    """Raise UsageError if `target` is one of the input files. setting: which setting names the target."""
    for name in inputs:
        if same_file(target, name):
            message = f"{{{setting}}} {target} would overwrite the input {name}"
            raise UsageError(message, hint="name another place", about=setting)


def same_file(a: str | Path, b: str | Path) -> bool:
    """Return whether two names lead to one existing file; False for a name that can not be looked up."""
    try:
        return os.path.samefile(a, b)  # noqa: PTH121 # a Path of "-" or of a URL is another name
    except (OSError, ValueError):
        return False


def _guarded(sources: Iterable[Source], folder: Path, inputs: tuple[str, ...]) -> Iterator[Source]:
    """Yield the sources, each that may not be annotated in the folder replaced by one that raises when it is read."""
    names, files = FileNames(), _InputFiles(inputs)
    for source in sources:
        files.add(source.name)
        target = annotated_copy(folder, names.take(source.name))
        if same_file(target, source.name):
            yield _refusing(source, "its own input")
        elif target in files:
            yield _refusing(source, f"the input {target}")
        else:
            yield source


def _refusing(source: Source, victim: str) -> Source:
    message = f"the annotated copy of {source.name} would overwrite {victim}"
    return failing(source.name, OutputError(message, hint="choose another {annotate}", about="annotate"))


class _InputFiles:
    """The files that are known to be inputs: named ones, sources so far, and all files below the folders named.

    Folders are not listed here: they may be large, and the sources in them arrive one by one.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._files: set[tuple[int, int]] = set()
        self._folders: list[str] = []
        for name in names:
            if os.path.isdir(name):  # noqa: PTH112 # a Path raises for a name that is too long
                self._folders.append(os.path.join(os.path.realpath(name), ""))  # noqa: PTH118
            else:
                self.add(name)

    def add(self, name: str) -> None:
        """Add one file; a name that can not be looked up is ignored."""
        if (identity := _identity(name)) is not None:
            self._files.add(identity)

    def __contains__(self, path: Path) -> bool:
        identity = _identity(str(path))
        inside = any(os.path.realpath(path).startswith(folder) for folder in self._folders)
        return identity is not None and (inside or identity in self._files)


def _identity(name: str) -> tuple[int, int] | None:
    """Return the device and inode of a file, or None for a name that can not be looked up."""
    try:
        status = os.stat(name)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
