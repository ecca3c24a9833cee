"""The PINs of people who want more than their face to log in with, in a file beside the gallery.

The file has a salted scrypt hash of each PIN (RFC 7914), which is slow to try out, but a PIN of four digits is soon
found by whoever has the file; so it is readable for its owner alone, and the server counts tries.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Set
from pathlib import Path
from typing import Any

from facecli.errors import GalleryError, UsageError
from facecli.gallery.store.place import OWNER_ONLY
from facecli.system.files import write_bytes

SHORTEST, LONGEST = 4, 64  # characters
COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MB, and some 50 ms


class Pins:
    """The PINs of a gallery's people, by uid. path: of the file, which need not be there. Raises GalleryError."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._held = _read(path)

    def has(self, person: str) -> bool:
        """Return whether a person has a PIN. person: uid."""
        return person in self._held

    def fits(self, person: str, pin: str) -> bool:
        """Return whether it is a person's PIN. person: uid, of somebody who has one."""
        held = self._held[person]
        return hmac.compare_digest(_hash(pin, bytes.fromhex(held["salt"])), held["scrypt"])

    def keep(self, person: str, pin: str) -> None:
        """Give a person a PIN. person: uid."""
        salt = secrets.token_bytes(16)
        with self._lock:
            self._write(self._held | {person: {"salt": salt.hex(), "scrypt": _hash(pin, salt)}})

    def forget(self, others: Set[str]) -> None:
        """Forget the PINs of all but these people. others: uids."""
        with self._lock:
            if not self._held.keys() <= others:
                self._write({person: held for person, held in self._held.items() if person in others})

    def _write(self, held: dict[str, dict[str, str]]) -> None:
        write_bytes(self._path, json.dumps({"pins": held}, indent=2).encode(), parents=False, mode=OWNER_ONLY)
        self._held = held


def check(pin: str) -> None:
    """Raise UsageError for a PIN that is too short or too long, or no text that UTF-8 can hold."""
    if not SHORTEST <= len(pin) <= LONGEST:
        raise UsageError(f"a PIN has {SHORTEST} to {LONGEST} characters, and this one {len(pin)}")
    try:
        pin.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise UsageError("the PIN has a sign that is no character", hint="choose another one") from error


def _hash(pin: str, salt: bytes) -> str:
    return hashlib.scrypt(pin.encode(), salt=salt, **COST).hex()


def _read(path: Path) -> dict[str, dict[str, str]]:
    if not path.exists():
        return {}
    try:
        held: dict[str, Any] = json.loads(path.read_text("utf-8"))["pins"]
        sound = all(len(bytes.fromhex(one["salt"])) == 16 and len(one["scrypt"]) == 128 for one in held.values())
    except OSError as error:
        raise GalleryError(f"can not read the PINs in {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise GalleryError(f"{path} is no file of PINs", hint="take it away, and people log in without a PIN")
    return held
