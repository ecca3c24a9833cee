"""Environment variables that switch something on or off."""

from __future__ import annotations

import os

# Values that switch off; click reads the variables of flags so.
OFF = ("", "0", "false", "f", "no", "n", "off")


def flag(name: str) -> bool:
    """Return whether a variable is set to another value than those of OFF."""
    return os.environ.get(name, "").strip().lower() not in OFF
