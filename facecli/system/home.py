"""The folder of what facecli keeps for its user, and the form of the ids that name files in it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from facecli.errors import UsageError
from facecli.system import environment

# An id is a name, not a path: "../x" and "/etc/x" must not leave the folder.
ID = re.compile(r"[a-z0-9_-][a-z0-9._-]*(/[a-z0-9_-][a-z0-9._-]*)*")
# The folder of a user who has no home, such as a bare number in a container. Nothing is in it, so all that needs no
# file of the user's works; and nothing can be written there, which facecli.system.files tells in words.
NOWHERE = Path(os.devnull) / "no-home-folder"


def folder() -> Path:
    """Return FACECLI_HOME, or the user's data folder of this system; NOWHERE if the user has no home.

    Raises UsageError for a FACECLI_HOME that no folder can have as its name, such as one that is too long.
    """
    if chosen := environment.place("FACECLI_HOME"):
        return _checked(Path(chosen))
    from platformdirs import user_data_path

    try:
        return user_data_path("facecli", appauthor=False)
    except RuntimeError:  # neither HOME nor the system's list of users names one
        return NOWHERE


def _checked(chosen: Path) -> Path:
    try:
        chosen.lstat()
    except FileNotFoundError:
        pass  # it is made when something is kept
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{{home}} can not be {chosen}: {reason}", hint="name another folder", about="home") from error
    return chosen
