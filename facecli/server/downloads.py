"""The pictures that /api/download_image keeps for a while, under names that nobody can guess."""

from __future__ import annotations

import re
import secrets
import time
from contextlib import ExitStack
from pathlib import Path

from facecli.models.disk.work import work_folder
from facecli.pictures.sources import Source, single
from facecli.server import refusals
from facecli.system.files import make_folder, write_bytes

NAME = re.compile(r"[0-9a-f]{32}")
MOST_FILES, MOST_BYTES, SECONDS = 200, 200 * 2**20, 3600.0


class Downloads:
    """A folder of downloaded pictures. folder: None makes one in the model store, which goes with the server.

    There `models prune` finds what a server that was killed has left.
    """

    def __init__(self, folder: Path | None) -> None:
        self._temporary = ExitStack()
        self._folder = self._temporary.enter_context(work_folder()) if folder is None else folder
        make_folder(self._folder, parents=True)

    def keep(self, data: bytes) -> str:
        """Write a picture, and return its name; the oldest ones make room."""
        name = secrets.token_hex(16)
        write_bytes(self._folder / name, data)
        self._tidy()
        return name

    def source(self, name: str) -> Source:
        """Return a picture by its name. Raises RefusalError for everything that is no name of this folder's."""
        self._tidy()
        if not NAME.fullmatch(name) or not (self._folder / name).is_file():
            raise refusals.missing("downloaded picture")
        return Source(name, single(str(self._folder / name)).reader, str(self._folder / name))

    def close(self) -> None:
        """Delete a temporary folder."""
        self._temporary.close()

    def _tidy(self) -> None:
        """Delete what is too old, and the oldest while there is too much."""
        files = sorted(
            ((path.stat().st_mtime, path.stat().st_size, path) for path in self._folder.iterdir() if _ours(path)),
            reverse=True,
        )
        room, now = MOST_BYTES, time.time()
        for count, (made, size, path) in enumerate(files):
            room -= size
            if count >= MOST_FILES or room < 0 or now - made > SECONDS:
                path.unlink(missing_ok=True)


def _ours(path: Path) -> bool:
    return bool(NAME.fullmatch(path.name)) and path.is_file()
