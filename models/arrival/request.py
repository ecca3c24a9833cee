"""A request for a model file, and the file that answers it; apart from the intake, whose imports cost a cold start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facecli.contract import ModelFile, ModelSpec


@dataclass(frozen=True, slots=True)
class InstalledFile:
    """A model file in the store, hashed.

    source: the place it has just been fetched from, None if it was there. notes: what was made good on it then.
    """

    name: str
    path: Path
    sha256: str
    source: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A model's file that is to be brought in.

    installed: looks into the store for the file; called under its lock, for another process may just have brought it.
    """

    spec: ModelSpec
    file: ModelFile
    installed: Callable[[], InstalledFile | None]

    @property
    def key(self) -> str:
        """The name of the file's lock and of its bytes on their way in."""
        return self.file.sha256 or f"unpinned-{self.file.name}"
