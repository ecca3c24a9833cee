"""Folders for work in progress, in the store: there `models prune` finds what a process that was killed has left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facecli.models.disk.guards import writing
from facecli.models.disk.layout import WORK, Layout
from facecli.models.disk.locks import locked
from facecli.system import files, home


@contextmanager
def work_folder(layout: Layout | None = None) -> Iterator[Path]:
    """Give an empty folder, for its owner alone, that vanishes in the end.

    layout: of the store that it lies in; None is the user's. Raises ModelError if nothing can be written there.
    """
    layout = layout or Layout(home.folder())
    folder = layout.partial / f"{WORK}{os.urandom(8).hex()}"
    with writing():
        layout.partial.mkdir(parents=True, exist_ok=True)
    with locked(layout.lock(folder.name)), files.unfinished(folder):
        folder.mkdir(0o700)  # it may hold pictures and galleries of people
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
