"""One connection to a gallery file: opened as it must be, changed in transactions, and with its errors in words."""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facecli.errors import FacecliError, GalleryError
from facecli.gallery.store import place
from facecli.gallery.store.schema import APPLICATION_ID, TABLES, VERSION

BUSY_SECONDS = 15.0  # that a command waits for another one's transaction
# secure_delete overwrites what is deleted; temporary copies, as of VACUUM, stay in memory.
SETTINGS = ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON", "temp_store = MEMORY")


class Database:
    """A connection to a gallery, which several threads may use, one after the other.

    path: the file. create: make it if it is missing. Raises GalleryError for a file that is missing or no gallery, or
    of a newer version, or on a network file system; OutputError where none can be made.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._lock = threading.RLock()
        if create:
            place.prepare(path)
        elif not os.path.isfile(path):  # noqa: PTH113 # a Path raises for a name that is too long
            raise GalleryError(f"there is no gallery {path}", hint="make one with `facecli enroll`")
        else:
            place.check_local(path)
        with self._in_words():
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            with self._in_words():
                self._check(create=create)
                for setting in SETTINGS:
                    self._connection.execute(f"PRAGMA {setting}")
        except FacecliError:
            self._connection.close()
            raise

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query. Raises GalleryError."""
        with self._lock, self._in_words():
            return self._connection.execute(sql, values).fetchall()

    def batches(self, sql: str, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a query, `size` at a time, all as they are at one moment. Raises GalleryError."""
        with self._lock, self._in_words():
            cursor = self._connection.execute(sql)
        while True:
            with self._lock, self._in_words():
                rows = cursor.fetchmany(size)
            if not rows:
                return
            yield rows

    def change(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement of a transaction; return the id of the row that an INSERT made. Raises GalleryError."""
        with self._in_words():
            return self._connection.execute(sql, values).lastrowid or 0

    @contextmanager
    def transaction(self, *, dry_run: bool = False, revises: bool = True) -> Iterator[None]:
        """Make all changes of a block at once, and raise the revision; none of them if it raises.

        When the block is left without an error the changes are on the disk. dry_run: take them back instead. revises:
        whether they change people, faces or templates. Raises GalleryError.
        """
        with self._lock:
            with self._in_words():
                self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                if revises:
                    self.change("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
                    self.change("INSERT OR REPLACE INTO meta VALUES ('state', lower(hex(randomblob(16))))")
                with self._in_words():
                    self._connection.execute("ROLLBACK" if dry_run else "COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def check_unread(self) -> None:
        """Raise GalleryError if another program is reading the file, so that traces could not be erased now.

        Something is written first: a reader of an empty log is in nobody's way, and would be after a removal.
        """
        with self._lock:
            with self.transaction(revises=False):
                self.change("INSERT INTO meta VALUES ('written', '')")
                self.change("DELETE FROM meta WHERE key = 'written'")
            with self._in_words():
                ((busy, *_),) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            message = f"another program reads {self.path}, so nothing can be erased in it now"
            raise GalleryError(message, hint="nothing was removed: try again when that program has ended")

    def erase_traces(self) -> None:
        """Write the whole file anew and empty its log, so that nothing of deleted rows is left. Raises GalleryError."""
        with self._lock, self._in_words():
            self._connection.execute("VACUUM")
            ((busy, *_),) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            message = f"another program reads {self.path}: what was removed is still in its log"
            raise GalleryError(message, hint="end that program and run `facecli gallery compact`")

    def copy_to(self, copy: sqlite3.Connection) -> None:
        """Copy the whole database, as it is at one moment, into another connection's. Raises sqlite3.Error."""
        with self._lock:
            self._connection.backup(copy)

    def close(self) -> None:
        """Close the connection; the last one empties the log."""
        with self._lock:
            self._connection.close()

    def _check(self, *, create: bool) -> None:
        """Accept a gallery, make one of an empty file if that is wished, refuse everything else."""
        application, version = (self._pragma(name) for name in ("application_id", "user_version"))
        if application == APPLICATION_ID and version > VERSION:
            raise GalleryError(f"{self.path} was made by a newer facecli", hint="update facecli")
        if application != APPLICATION_ID:
            if application or self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise GalleryError(f"{self.path} is not a gallery of facecli", hint="name another file")
            if not create:
                raise GalleryError(f"{self.path} is empty", hint="make a gallery of it with `facecli enroll`")
            self._make()

    def _make(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        with self.transaction():
            if self._pragma("application_id") == APPLICATION_ID:  # another process was first
                return
            for table in TABLES:
                self._connection.execute(table)
            meta = {"uuid": str(uuid.uuid4()), "created": now(), "revision": "0"}
            self._connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Raise GalleryError for what SQLite refuses."""
        try:
            yield
        except sqlite3.Error as error:
            raise _in_words(self.path, error) from error


def now() -> str:
    """Return the time, UTC, in ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _in_words(path: Path, error: sqlite3.Error) -> GalleryError:
    """Return the error of SQLite as one that says what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        message = f"another program has been changing {path} for {BUSY_SECONDS:.0f} seconds"
        return GalleryError(message, hint="try again when it has ended")
    if code == sqlite3.SQLITE_FULL:
        return GalleryError(f"no space left for {path}; all that was told is stored", hint="free some space")
    if code == sqlite3.SQLITE_NOTADB:
        return GalleryError(f"{path} is not a gallery of facecli", hint="name another file")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT):
        return GalleryError(f"{path} is damaged: {error}", hint="see `facecli gallery verify`, or take a backup")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return GalleryError(f"can not open or change {path}: {error}", hint="check its permissions and its folder's")
    return GalleryError(f"{path} can not be used: {error}", hint="see `facecli gallery verify`")
