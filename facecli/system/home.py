"""The folder of what facecli keeps for its user, and the names of the models that the user has added to it."""

from __future__ import annotations

import os
import re
from pathlib import Path

# An id is a name, not a path: "../x" and "/etc/x" must not leave the folder.
ID = re.compile(r"[a-z0-9_-][a-z0-9._-]*(/[a-z0-9_-][a-z0-9._-]*)*")


def folder() -> Path:
    """FACECLI_HOME, or the user's data folder."""
    chosen = os.environ.get("FACECLI_HOME")
    if chosen:
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("facecli", appauthor=False)


def description(root: Path, kind: str, model_id: str) -> Path:
    """Where the description of a user's model lies."""
    return root / "catalogue" / kind / f"{model_id}.json"


def added(kind: str, root: Path | None = None) -> list[str]:
    """The ids of the user's models of a kind, sorted; none where the folder can not be read."""
    top = (root or folder()) / "catalogue" / kind
    names = (path.relative_to(top).as_posix().removesuffix(".json") for path in top.rglob("*.json"))
    return sorted(name for name in names if ID.fullmatch(name))
