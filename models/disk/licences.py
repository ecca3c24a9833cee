"""Licences that do not allow commercial use: accepted once each, and that is written down in the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facecli.contract import ModelSpec
from facecli.errors import ModelError, OutputError
from facecli.models.disk.locks import locked
from facecli.system.files import write_bytes
from facecli.version import __version__


class Licences:
    """What the user of this store has accepted, written down in `path` under a lock.

    accept: take every licence that is asked for.
    """

    def __init__(self, path: Path, *, accept: bool) -> None:
        self._path = path
        self._accept = accept

    def accepted(self, spec: ModelSpec) -> bool:
        """Whether the model may be had: its licence allows commercial use, or has been accepted."""
        return spec.commercial_use or self._accept or any(e["licence"] == spec.licence for e in self._entries())

    def require(self, spec: ModelSpec) -> None:
        """Raise ModelError, naming the command, unless the licence is accepted; write it down if it is so now.

        Raises OutputError if that can not be written.
        """
        if not self.accepted(spec):
            where = f", {spec.licence_url}" if spec.licence_url else ""
            message = f"model {spec.id} is not for commercial use ({spec.licence}{where})"
            raise ModelError(message, hint=f"if you accept that: facecli models pull {spec.id} --accept-license")
        if spec.commercial_use or any(entry["licence"] == spec.licence for entry in self._entries()):
            return
        try:
            with locked(self._path.with_suffix(".lock")):
                self._write(spec)
        except OSError as error:
            message = f"can not write {self._path}: {error.strerror or error}"
            raise OutputError(message, hint="name another folder in FACECLI_HOME") from error

    def _write(self, spec: ModelSpec) -> None:
        entries = self._entries()  # as another process may have left them
        now = datetime.now(UTC).isoformat(timespec="seconds")
        new = {"licence": spec.licence, "licence_url": spec.licence_url, "model": spec.id, "at": now}
        content = json.dumps({"accepted": [*entries, new | {"facecli": __version__}]}, indent=2)
        write_bytes(self._path, content.encode())

    def _entries(self) -> list[dict[str, Any]]:
        """What was written down; of a file that is damaged, nothing: to ask once more does no harm."""
        try:
            entries = json.loads(self._path.read_bytes())["accepted"]
            return [entry for entry in entries if isinstance(entry["licence"], str)]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return []
