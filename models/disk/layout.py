"""The map of the store's folder: the path of every file that facecli keeps there, and nothing about their contents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath

from facecli.system.home import ID

WORK = "work-"  # prefix of the folders in `partial` in which files are made or unpacked


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below the store's root folder.

    blobs/SHA256.SUFFIX is a model file, blobs/SHA256.stamp its stamp. carried/SHA256.stamp is the stamp of a file that
    a package carries. registered/ID.json and fetched/ID.json list a model's files: those that an export made, and those
    that were downloaded. catalogue/KIND/ID.json describes a model of the user's. selftests/SHA256.json is a file's
    self-test. partial/ holds files on their way in, locks/ one lock file for each of them.
    """

    root: Path

    @property
    def blobs(self) -> Path:
        """The folder of the model files and their stamps."""
        return self.root / "blobs"

    @property
    def partial(self) -> Path:
        """The folder of files that are on their way in."""
        return self.root / "partial"

    @property
    def selftests(self) -> Path:
        """The folder of the self-tests."""
        return self.root / "selftests"

    @property
    def records(self) -> tuple[Path, Path]:
        """The two folders of records: exported files first, downloaded files second."""
        return self.root / "registered", self.root / "fetched"

    @property
    def locks(self) -> Path:
        """The folder of the lock files."""
        return self.root / "locks"

    @property
    def licences(self) -> Path:
        """The list of accepted licences."""
        return self.root / "licences.json"

    def blob(self, sha256: str, name: str) -> Path:
        """Return the place of a model file. It keeps the suffix of `name`: ONNX Runtime reads .ort and .onnx by it."""
        return self.blobs / f"{sha256}{PurePath(name).suffix or '.onnx'}"

    def carried(self, sha256: str) -> Path:
        """Return the place of the stamp of a package's file."""
        return self.root / "carried" / f"{sha256}.stamp"

    def registered(self, model_id: str) -> Path:
        """Return the place of the record of a model's exported files."""
        return self.records[0] / f"{model_id}.json"

    def fetched(self, model_id: str) -> Path:
        """Return the place of the record of a model's downloaded files."""
        return self.records[1] / f"{model_id}.json"

    def selftest(self, sha256: str) -> Path:
        """Return the place of the self-test of the file with this sha256."""
        return self.selftests / f"{sha256}.json"

    def description(self, kind: str, model_id: str) -> Path:
        """Return the place of the description of a user's model. kind: detector, recognizer or attribute."""
        return self.root / "catalogue" / kind / f"{model_id}.json"

    def described(self, kind: str) -> list[str]:
        """Return the ids of the user's models of a kind, sorted. A folder that can not be read has none."""
        top = self.root / "catalogue" / kind
        ids = (path.relative_to(top).as_posix().removesuffix(".json") for path in top.rglob("*.json"))
        return sorted(model_id for model_id in ids if ID.fullmatch(model_id))

    def arriving(self, key: str) -> Path:
        """Return the place of a file on its way in. key: its sha256, or "unpinned-NAME" if that is not known."""
        return self.partial / f"{key}.part"

    def lock(self, key: str) -> Path:
        """Return the lock file of a file on its way in, or of the records. key: as in `arriving`."""
        return self.locks / f"{key}.lock"
