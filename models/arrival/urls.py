"""URLs as places of model files: telling them from paths, and showing them without passwords."""

from __future__ import annotations

import re


def is_url(place: str) -> bool:
    """Return True for a URL of any scheme, False for a path."""
    return "://" in place


def without_credentials(url: str) -> str:
    """Return a URL without the user name and password that it may hold, to be shown and recorded."""
    return re.sub(r"^([a-z]+://)[^/?#]*@", r"\1", url, flags=re.IGNORECASE)
