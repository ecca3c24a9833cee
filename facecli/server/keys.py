"""The keys of programs that may ask a server, in a file."""

from __future__ import annotations

import hmac
import json
import threading
from pathlib import Path
from typing import Any

from facecli.errors import UsageError
from facecli.gallery import names
from facecli.gallery.store.place import OWNER_ONLY
from facecli.server import secrecy
from facecli.server.caller import SCOPES
from facecli.system.files import write_bytes

LONGEST = 100  # characters of a label


class Keys:
    """The keys of a server, in a file. Raises UsageError for a file that is damaged."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._entries = _read(path)

    def listed(self) -> list[dict[str, str]]:
        """Return label and scope of each key."""
        return [{"label": entry["label"], "scope": entry["scope"]} for entry in self._entries]

    def make(self, label: str, scope: str) -> str:
        """Make a key, as `add` does, which is good at once."""
        with self._lock:
            key = Keys.add(self._path, label, scope)
            self._entries = _read(self._path)
        return key

    def revoke(self, label: str) -> bool:
        """Forget a key; return whether there was one of this label."""
        with self._lock:
            entries = _read(self._path)
            left = [entry for entry in entries if entry["label"] != label]
            if len(left) < len(entries):
                _write(self._path, left)
            self._entries = left
        return len(left) < len(entries)

    def scope(self, key: str) -> tuple[str, str] | None:
        """Return the label and the scope of a key, None if there is no such key. All keys are compared."""
        digest, found = secrecy.digest(key), None
        for entry in self._entries:
            if hmac.compare_digest(entry["sha256"], digest):
                found = entry["label"], entry["scope"]
        return found

    @staticmethod
    def add(path: Path, label: str, scope: str) -> str:
        """Make a key, keep its sha256 in the file, and return it; nobody can tell it later.

        Raises UsageError for a label that is there already, or is none: see `label_of`.
        """
        label = label_of(label)
        if scope not in SCOPES:
            raise UsageError(f"there is no scope {scope!r:.40}", hint=f"use {', '.join(SCOPES)}")
        entries = _read(path) if path.exists() else []
        if any(entry["label"] == label for entry in entries):
            raise UsageError(f"there is a key {label} in {path}", hint="choose another label")
        key = secrecy.new()
        entries.append({"label": label, "scope": scope, "sha256": secrecy.digest(key)})
        _write(path, entries)
        return key


def label_of(text: str) -> str:
    """Return the label of a key as it is kept: one line of visible characters, without what parts an address.

    Raises UsageError for another text.
    """
    try:
        label = names.clean(text)
    except UsageError:
        label = ""
    if not 1 <= len(label) <= LONGEST or "/" in label or label in (".", ".."):
        message = f"a key's label has 1 to {LONGEST} visible characters in one line, without /"
        raise UsageError(message, hint="choose another label")
    return label


def _write(path: Path, entries: list[dict[str, Any]]) -> None:
    write_bytes(path, json.dumps({"keys": entries}, indent=2).encode(), parents=False, mode=OWNER_ONLY)


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
