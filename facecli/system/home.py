"""The folder of what facecli keeps for its user, and the form of the ids that name files in it."""

from __future__ import annotations

import os
import re
from pathlib import Path

# An id is a name, not a path: "../x" and "/etc/x" must not leave the folder.
ID = re.compile(r"[a-z0-9_-][a-z0-9._-]*(/[a-z0-9_-][a-z0-9._-]*)*")


def folder() -> Path:
    """Return FACECLI_HOME, or the user's data folder of this system."""
    chosen = os.environ.get("FACECLI_HOME")
    if chosen:
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("facecli", appauthor=False)
