"""The keys of programs that may ask a server, in a file."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

from facecli.errors import UsageError
from facecli.server import secrecy
from facecli.server.caller import SCOPES
from facecli.system.files import write_bytes


class Keys:
    """The keys of a server, in a file. Raises UsageError for a file that is damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = _read(path)

    def scope(self, key: str) -> tuple[str, str] | None:
        """Return the label and the scope of a key, None if there is no such key. All keys are compared."""
        digest, found = secrecy.digest(key), None
        for entry in self._entries:
            if hmac.compare_digest(entry["sha256"], digest):
                found = entry["label"], entry["scope"]
        return found

    @staticmethod
    def add(path: Path, label: str, scope: str) -> str:
        """Make a key, keep its sha256 in the file, and return it; nobody can tell it later."""
        if scope not in SCOPES:
            raise UsageError(f"there is no scope {scope!r:.40}", hint=f"use {', '.join(SCOPES)}")
        entries = _read(path) if path.exists() else []
        if any(entry["label"] == label for entry in entries):
            raise UsageError(f"there is a key {label} in {path}", hint="choose another label")
        key = secrecy.new()
        entries.append({"label": label, "scope": scope, "sha256": secrecy.digest(key)})
        write_bytes(path, json.dumps({"keys": entries}, indent=2).encode(), parents=False)
        path.chmod(0o600)
        return key


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(path.read_text("utf-8"))["keys"]
        sound = all(
            isinstance(entry["label"], str) and entry["scope"] in SCOPES and len(entry["sha256"]) == 64
            for entry in entries
        )
    except OSError as error:
        raise UsageError(f"can not read the keys in {path}: {error.strerror}", hint="make a key first") from error
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        raise UsageError(f"{path} is no file of keys", hint="make a key first")
    return list(entries)
