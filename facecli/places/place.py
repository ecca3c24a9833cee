"""The place of a job's files: names to bytes, whole or not at all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import IO


class Place(ABC):
    """Files by their names, such as "faces/00012.parquet"; each appears whole or not at all.

    Methods raise OutputError for what the place refuses, FileNotFoundError for a file that is not there.
    """

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Write a file, in the place of one that is there."""

    @abstractmethod
    def create(self, name: str, content: bytes) -> bool:
        """Write a file if there is none, and return whether that was so; of several who try at once one succeeds."""

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading at any position."""

    @abstractmethod
    def names(self, folder: str) -> set[str]:
        """Return the names of the files in a folder of the place, without that folder; none if it is not there."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no failure."""

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        with self.open(name) as stream:
            return stream.read()
