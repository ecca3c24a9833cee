"""Where things lie in the store, and how a file's content is named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath

from facecli.system.home import folder as default_root

__all__ = ["PARTIAL_BUNDLE", "Layout", "default_root", "has_stamp", "stamp_of"]

PARTIAL_BUNDLE = "bundle-"  # what the name of a bundle's folder begins with while it is on its way in


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of a store.

    blobs: model files, named by their sha256, each with a stamp. registered, fetched: which files a model has, of those
    that exports made and of those that were downloaded. selftests: what files answered when they came in. partial:
    what is on its way in. locks: one per file.
    """

    root: Path

    @property
    def blobs(self) -> Path:
        """The folder of the model files."""
        return self.root / "blobs"

    @property
    def partial(self) -> Path:
        """The folder of what is on its way in."""
        return self.root / "partial"

    @property
    def licences(self) -> Path:
        """What licences were accepted."""
        return self.root / "licences.json"

    def blob(self, sha256: str, name: str) -> Path:
        """The place of a file's content; its suffix is kept, for ONNX Runtime tells .ort from .onnx by it."""
        return self.blobs / f"{sha256}{PurePath(name).suffix or '.onnx'}"

    def registered(self, model_id: str) -> Path:
        """The record of a model's files that an export made."""
        return self.root / "registered" / f"{model_id}.json"

    def fetched(self, model_id: str) -> Path:
        """The record of a model's files that were downloaded."""
        return self.root / "fetched" / f"{model_id}.json"

    def golden(self, sha256: str) -> Path:
        """The self-test of a file."""
        return self.root / "selftests" / f"{sha256}.json"

    def arriving(self, key: str) -> Path:
        """The file that is on its way in under a key."""
        return self.partial / f"{key}.part"

    def lock(self, key: str) -> Path:
        """The lock of what is on its way in under a key."""
        return self.root / "locks" / f"{key}.lock"


def stamp_of(status: os.stat_result) -> bytes:
    """What tells, without reading it, that a file is still the one that was hashed: size and modification time."""
    return f"{status.st_size} {status.st_mtime_ns}".encode()


def has_stamp(path: Path, status: os.stat_result) -> bool:
    """Whether the stamp beside a file is that of its status."""
    try:
        return path.with_suffix(".stamp").read_bytes() == stamp_of(status)
    except OSError:
        return False
