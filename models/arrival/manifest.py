"""The manifest of a models bundle: the models in the zip, their files by sha256, and the self-tests of the files.

A bundle comes from elsewhere: nothing in its manifest is trusted before it has been checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from facecli.errors import ModelError
from facecli.models.arrival import archives
from facecli.models.disk import records
from facecli.models.selftests import recorded
from facecli.models.selftests.recorded import SelfTest
from facecli.system import strict_json
from facecli.version import __version__

SCHEMA = "facecli.models-bundle/1"
OLD_SCHEMA = "facecli.bundle/1"  # its name until 0.1.0; an edge folder's manifest has that name, too
NAME = "manifest.json"
BLOBS = "blobs/"  # prefix of the model files' names in the zip, before their sha256
LARGEST = 2**24  # bytes of a manifest

_AGAIN = "export the bundle again"


@dataclass(frozen=True, slots=True)
class BundledModel:
    """A model in a bundle.

    files: of each the name, sha256 and size. registered: the origin of exported files. description: that of a user's
    own model, as its file in the user's folder has it.
    """

    id: str
    licence: str
    licence_url: str | None
    files: tuple[records.Entry, ...]
    registered: dict[str, Any] | None = None
    description: dict[str, Any] | None = None

    def record(self) -> dict[str, Any]:
        """Return the model as the output of `facecli models export-bundle` and `import-bundle` has it."""
        return {"id": self.id, "licence": self.licence, "files": list(self.files)}


@dataclass(frozen=True, slots=True)
class Manifest:
    """The models of a bundle, and self-tests of their files by sha256, recorded on the machine of the bundle."""

    models: tuple[BundledModel, ...]
    selftests: Mapping[str, SelfTest]

    @property
    def contents(self) -> dict[str, records.Entry]:
        """The files of all models by sha256, each content once."""
        return {file["sha256"]: file for model in self.models for file in model.files}

    def document(self) -> dict[str, Any]:
        """Return the manifest as JSON can hold it."""
        models = [asdict(model) for model in self.models]
        selftests = {sha256: selftest.document() for sha256, selftest in self.selftests.items()}
        return {"schema": SCHEMA, "facecli": __version__, "models": models, "selftests": selftests}


def read(archive: ZipFile, path: Path) -> Manifest:
    """Return the manifest of a bundle that holds exactly what it lists. path: the bundle's, for messages.

    Raises ModelError for any other zip.
    """
    manifest = parse(_document(archive, path))
    listed = sorted({*(f"{BLOBS}{sha256}" for sha256 in manifest.contents), NAME})
    held = sorted(info.filename for info in archive.infolist())
    if held != listed:
        wrong = sorted(set(held) ^ set(listed)) or [name for name in held if held.count(name) > 1]
        raise ModelError(f"{path} does not hold what it lists: {wrong[0]}", hint=_AGAIN)
    return manifest


def parse(document: Mapping[str, Any]) -> Manifest:
    """Return the manifest that a JSON document is. Raises ModelError if it is damaged."""
    try:
        models = tuple(_model(entry) for entry in document["models"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the bundle's {NAME} is damaged: {error!r}", hint=_AGAIN) from error
    try:
        selftests = {sha256: recorded.parse(entry) for sha256, entry in document.get("selftests", {}).items()}
    except (ValueError, AttributeError) as error:
        raise ModelError(f"the bundle's {NAME} is damaged: {error}", hint=_AGAIN) from error
    return Manifest(models, selftests)


def _document(archive: ZipFile, path: Path) -> dict[str, Any]:
    info = archives.find(archive, NAME)
    try:
        document = dict(strict_json.loads(archive.read(info))) if info.file_size <= LARGEST else {}
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"{path} has a damaged {NAME}: {error}", hint=_AGAIN) from error
    if document.get("schema") not in (SCHEMA, OLD_SCHEMA):
        raise ModelError(f"{path} is no bundle that this facecli reads", hint=f"it needs a {NAME} of {SCHEMA}")
    return document


def _model(entry: dict[str, Any]) -> BundledModel:
    files = tuple({key: file[key] for key in ("name", "sha256", "size")} for file in entry["files"])
    if not (isinstance(entry["id"], str) and all(map(records.is_entry, files))):
        raise TypeError("a model needs an id and files, each with a name, a sha256 and a size")
    registered, description = entry.get("registered"), entry.get("description")
    if not all(table is None or isinstance(table, dict) for table in (registered, description)):
        raise TypeError("what is registered and described are tables")
    licence, licence_url = str(entry["licence"]), entry.get("licence_url")
    return BundledModel(
        entry["id"], licence, None if licence_url is None else str(licence_url), files, registered, description
    )
