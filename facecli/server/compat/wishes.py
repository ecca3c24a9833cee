"""The values of a request of deepface's clients, which may be JSON or the texts of a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facecli.server.refusals import RefusalError

Values = Mapping[str, Any]


def flag(values: Values, name: str, *, default: bool) -> bool:
    """Return a value that is true or false."""
    given = values.get(name, default)
    return given if isinstance(given, bool) else given == "true"


def number(values: Values, name: str) -> float | None:
    """Return a value that is a number from 0 to 1000, None if there is none. Raises RefusalError for another."""
    given = values.get(name)
    if given is None:
        return None
    try:
        found = float(given)
    except (TypeError, ValueError):
        raise RefusalError(400, "usage", f"{name} is no number") from None
    if not 0 <= found <= 1000:
        raise RefusalError(400, "usage", f"{name} is not from 0 to 1000")
    return found


def check(values: Values) -> None:
    """Raise RefusalError for a wish that would not be fulfilled: that would be worse than none."""
    if flag(values, "anti_spoofing", default=False):
        raise RefusalError(400, "usage", "anti_spoofing is not done here: ask POST /v1/verify?anti_spoof=true")
