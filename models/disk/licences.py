"""Licences that forbid commercial use: the user accepts each one once, and the store keeps the list."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facecli.contract import ModelSpec
from facecli.errors import AbsentModelError, OutputError
from facecli.models.disk.guards import OTHER_HOME
from facecli.models.disk.locks import locked
from facecli.system.files import write_bytes
from facecli.version import __version__


class Licences:
    """The licences that the user of a store has accepted, as a JSON list in the file `path`.

    accept: accept every licence that a model requires from now on.
    """

    def __init__(self, path: Path, *, accept: bool) -> None:
        self._path = path
        self._accept = accept

    def accepted(self, spec: ModelSpec) -> bool:
        """Return True if the model may be used: its licence allows commercial use, or has been accepted."""
        return spec.commercial_use or self._accept or self._is_listed(spec)

    def require(self, spec: ModelSpec) -> None:
        """Raise AbsentModelError unless the model's licence is accepted, and list a licence that is accepted now.

        Raises OutputError if the list can not be written.
        """
        if not self.accepted(spec):
            where = f", {spec.licence_url}" if spec.licence_url else ""
            message = f"model {spec.id} is not for commercial use ({spec.licence}{where})"
            raise AbsentModelError(message, hint=f"if you accept that: facecli models pull {spec.id} --accept-license")
        if spec.commercial_use or self._is_listed(spec):
            return
        try:
            with locked(self._path.with_suffix(".lock")):
                self._write(spec)
        except OSError as error:
            message = f"can not write {self._path}: {error.strerror or error}"
            raise OutputError(message, hint=OTHER_HOME, about="home") from error

    def _is_listed(self, spec: ModelSpec) -> bool:
        return any(entry["licence"] == spec.licence for entry in self._entries())

    def _write(self, spec: ModelSpec) -> None:
        entries = self._entries()  # read again: another process may have added some
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"licence": spec.licence, "licence_url": spec.licence_url, "model": spec.id, "at": now}
        content = json.dumps({"accepted": [*entries, entry | {"facecli": __version__}]}, indent=2)
        write_bytes(self._path, content.encode())

    def _entries(self) -> list[dict[str, Any]]:
        """Return the list as it is on the disk; a damaged file counts as empty: to ask once more does no harm."""
        try:
            entries = json.loads(self._path.read_bytes())["accepted"]
            return [entry for entry in entries if isinstance(entry["licence"], str)]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return []
