"""Who may do what: keys of programs, sessions of people, and the scopes that a request needs.

A key is 32 random bytes; the file holds its sha256 alone, so that whoever reads the file can not use it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facecli.errors import UsageError
from facecli.server.refusals import RefusalError
from facecli.system.files import write_bytes

SCOPES = ("read", "identify", "enroll", "admin")  # each includes those before it
SESSION_SECONDS = 12 * 3600.0
MOST_SESSIONS = 10_000
COOKIE = "facecli_session"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request. name: of the key or the address, by which requests are counted.

    scope: the furthest of SCOPES, or None. person: uid of the person who is logged in, or None.
    """

    name: str
    scope: str | None
    person: str | None = None

    def may(self, scope: str) -> bool:
        """Return whether the caller has a scope."""
        return self.scope is not None and SCOPES.index(self.scope) >= SCOPES.index(scope)

    def require(self, scope: str) -> None:
        """Raise RefusalError unless the caller has a scope."""
        if self.may(scope):
            return
        if self.scope is None:
            headers = {"WWW-Authenticate": "Bearer"}
            hint = "send Authorization: Bearer KEY"
            raise RefusalError(401, "unauthorised", "this needs a key", hint=hint, headers=headers)
        raise RefusalError(403, "forbidden", f"this needs the scope {scope}, and {self.scope} is what you have")


class Keys:
    """The keys of a server, in a file. Raises UsageError for a file that is damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = _read(path)

    def scope(self, key: str) -> tuple[str, str] | None:
        """Return the label and the scope of a key, None if there is no such key. All keys are compared."""
        digest, found = _digest(key), None
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
        key = secrets.token_urlsafe(32)
        entries.append({"label": label, "scope": scope, "sha256": _digest(key)})
        write_bytes(path, json.dumps({"keys": entries}, indent=2).encode(), parents=False)
        path.chmod(0o600)
        return key


class Sessions:
    """People who are logged in, by cookie. They are in memory: a server that is started anew knows nobody."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def begin(self, person: str) -> str:
        """Return the token of a new session of a person. person: uid."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            now = time.monotonic()
            self._held = {one: held for one, held in self._held.items() if held[1] > now}
            while len(self._held) >= MOST_SESSIONS:
                self._held.pop(next(iter(self._held)))
            self._held[_digest(token)] = person, now + SESSION_SECONDS
        return token

    def person(self, token: str) -> str | None:
        """Return the uid of the person whose session it is, None if there is none."""
        held = self._held.get(_digest(token))
        return held[0] if held is not None and held[1] > time.monotonic() else None

    def end(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._held.pop(_digest(token), None)

    def forget(self, people: Sequence[str]) -> None:
        """End all sessions of people. people: uids."""
        with self._lock:
            self._held = {one: held for one, held in self._held.items() if held[0] not in people}


class Access:
    """Tells who sends a request. keys: None lets everybody do everything."""

    def __init__(self, keys: Keys | None) -> None:
        self.keys, self.sessions = keys, Sessions()

    def caller(self, address: str, authorization: str, token: str) -> Caller:
        """Return the sender of a request. Raises RefusalError for a key that there is not.

        address: of the client. authorization: the header. token: the session's, from the cookie.
        """
        person = self.sessions.person(token) if token else None
        if self.keys is None:
            return Caller(address, SCOPES[-1], person)
        if authorization:
            kind, _, key = authorization.partition(" ")
            found = self.keys.scope(key.strip()) if kind.lower() == "bearer" else None
            if found is None:
                headers = {"WWW-Authenticate": "Bearer"}
                raise RefusalError(401, "unauthorised", "there is no such key", headers=headers)
            return Caller(f"key {found[0]}", found[1], person)
        return Caller(person or address, "identify" if person else None, person)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


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
