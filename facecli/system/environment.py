"""Switches among the environment variables."""

from __future__ import annotations

import os

OFF = ("", "0", "false", "f", "no", "n", "off")


def flag(name: str) -> bool:
    """Whether a variable is set to something else than no; read as click reads those of the options."""
    return os.environ.get(name, "").strip().lower() not in OFF
