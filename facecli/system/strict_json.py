"""JSON that people or strangers wrote: a key that stands twice is an error, where Python would drop the first value."""

from __future__ import annotations

import json
from typing import Any


class DoubledKeyError(ValueError):
    """An object of a JSON text has a key twice. key: that key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key!r:.100} stands there twice")
        self.key = key


def loads(content: str | bytes) -> Any:
    """Return the value of a JSON text. Raises DoubledKeyError, and ValueError or RecursionError for what is no JSON."""
    return json.loads(content, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        keys = [key for key, _ in pairs]
        raise DoubledKeyError(next(key for key in keys if keys.count(key) > 1))
    return entries
