"""Environment variables that switch something on or off, or name a place."""

from __future__ import annotations

import os

# Values that switch off; click reads the variables of flags so.
OFF = ("", "0", "false", "f", "no", "n", "off")


def flag(name: str) -> bool:
    """Return whether a variable is set to another value than those of OFF."""
    return os.environ.get(name, "").strip().lower() not in OFF


def place(name: str) -> str | None:
    """Return the path or URL that a variable names, with a leading ~ as a shell would have replaced it; None if unset.

    Files of environments, such as Docker's, are read by no shell.
    """
    return os.path.expanduser(os.environ.get(name, "")) or None  # noqa: PTH111 # a Path would make http:/ of http://
