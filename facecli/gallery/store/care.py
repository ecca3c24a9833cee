"""The care of a gallery's file: whether it is sound, writing it anew, and a copy of it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facecli.errors import OutputError
from facecli.gallery.store import cache_check
from facecli.gallery.store.place import OWNER_ONLY
from facecli.gallery.store.store import FLOAT, GalleryStore
from facecli.system.files import staged


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a gallery. found: what is wrong, in words; None if nothing is."""

    name: str
    found: str | None


def checks(store: GalleryStore) -> list[Check]:
    """Return the checks: SQLite's own, of references, of each template, of the search's cache. Raises GalleryError."""
    database = store.database
    integrity = [row[0] for row in database.rows("PRAGMA integrity_check(1)")]
    references = database.rows("PRAGMA foreign_key_check")
    ((active,),) = database.rows("SELECT count(*) FROM space WHERE state = 'active'")
    ((templates,),) = database.rows("SELECT count(*) FROM template")
    bare = "SELECT count(*) FROM face WHERE id NOT IN (SELECT face FROM template)"
    ((without,),) = database.rows(bare)
    damaged = _templates_fault(store)
    return [
        Check("file", None if integrity == ["ok"] else integrity[0]),
        Check("references", f"{len(references)} rows refer to nothing" if references else None),
        Check("space", None if active or not templates else "there are templates and no active space"),
        Check("templates", damaged),
        Check("faces", f"{without} faces have no template" if without else None),
        Check("search", None if damaged else cache_check.fault(store)),
    ]


def compact(store: GalleryStore) -> tuple[int, int]:
    """Write the file anew, so that nothing of deleted rows is left; return its bytes before and after, with its log."""
    files = [store.path, store.path.with_name(f"{store.path.name}-wal")]

    def size() -> int:
        return sum(path.stat().st_size for path in files if path.exists())

    before = size()
    store.database.erase_traces()
    return before, size()


def backup(store: GalleryStore, target: Path) -> None:
    """Write a copy of the gallery as it is now, which its owner alone may read. Raises OutputError."""
    with staged(target, parents=False, mode=OWNER_ONLY) as temporary:
        try:
            with closing(sqlite3.connect(temporary)) as copy:
                store.database.copy_to(copy)
        except sqlite3.Error as error:
            raise OutputError(f"can not write {target}: {error}", hint="choose another place") from error
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())


def _templates_fault(store: GalleryStore) -> str | None:
    query = "SELECT template.face, embedding, dim FROM template JOIN space ON space.id = template.space"
    for face, blob, dim in store.database.rows(query):
        if len(blob) != dim * FLOAT.itemsize:
            return f"the template of face {face} has {len(blob)} bytes, not {dim * FLOAT.itemsize}"
        row = np.frombuffer(blob, FLOAT).astype(np.float64)
        if not np.isfinite(row).all() or not np.linalg.norm(row) > 0:
            return f"the template of face {face} is not finite, or zero"
    return None
