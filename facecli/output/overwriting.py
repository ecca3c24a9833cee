"""TODO: facecli.output.overwriting."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from facecli.errors import OutputError, UsageError
from facecli.output.pictures import _annotated, _Names
from facecli.pictures.sources import Source
from facecli.types import Limits


def refuse_inputs(target: Path, inputs: Iterable[str | Path], option: str) -> None:
    """Raise UsageError if writing `target` would overwrite one of the inputs."""
    for name in inputs:
        if same_file(target, name):
            raise UsageError(f"{option} {target} would overwrite the input {name}", hint="name another place")


def same_file(a: str | Path, b: str | Path) -> bool:
    """Whether both names lead to one existing file; what can not be looked at is no file."""
    try:
        return os.path.samefile(a, b)  # noqa: PTH121 # a Path of "-" or of a URL is not what was named
    except (OSError, ValueError):
        return False


def _guarded(sources: Iterable[Source], out: Path, inputs: tuple[str, ...]) -> Iterator[Source]:
    """The sources; instead of one whose annotated copy would overwrite a picture that is an input, one that fails."""
    names, known = _Names(), _Inputs(inputs)
    for source in sources:
        known.add(source.name)
        target = _annotated(out, names.take(source.name))
        if same_file(target, source.name):
            yield _refusing(source, "its own input")
        elif target in known:
            yield _refusing(source, f"the input {target}")
        else:
            yield source


def _refusing(source: Source, what: str) -> Source:
    def refuse(name: str, _limits: Limits) -> bytes:
        raise OutputError(f"the annotated copy of {name} would overwrite {what}", hint="choose another --annotate")

    return Source(source.name, refuse)


class _Inputs:
    """The files that are known to be inputs: those named, those met so far, and all that is in the folders named."""

    def __init__(self, names: Iterable[str]) -> None:
        self._files: set[tuple[int, int]] = set()
        self._folders: list[str] = []
        for name in names:
            if os.path.isdir(name):  # noqa: PTH112 # a Path raises for a name that is too long
                self._folders.append(os.path.join(os.path.realpath(name), ""))  # noqa: PTH118
            else:
                self.add(name)

    def add(self, name: str) -> None:
        """Take one file in; what can not be looked at is none."""
        if (identity := _identity(name)) is not None:
            self._files.add(identity)

    def __contains__(self, path: Path) -> bool:
        identity = _identity(str(path))
        inside = any(os.path.realpath(path).startswith(folder) for folder in self._folders)
        return identity is not None and (inside or identity in self._files)


def _identity(name: str) -> tuple[int, int] | None:
    try:
        status = os.stat(name)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
