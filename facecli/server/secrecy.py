"""Secrets that only their owners know: kept as their sha256, so that whoever reads what is kept can not use it."""

from __future__ import annotations

import hashlib
import secrets


def new() -> str:
    """Return a new secret of 32 random bytes."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
