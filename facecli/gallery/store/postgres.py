"""Searching a gallery with PostgreSQL and pgvector: a copy of its templates, for several machines and for SQL.

The gallery's file stays the truth. A copy lies in a schema of its own, `facecli_` and the gallery's uuid: the tables
`template` and `centroid` with the columns `row` and `embedding`, of length 1. The schema's comment is the state of the
gallery that they are of; for another one they are filled anew. Without an index pgvector compares every row, and the
search is exact; with one (`CREATE INDEX ON template USING hnsw (embedding vector_ip_ops)`), which stays, it is faster
and may miss somebody.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray

from facecli.errors import GalleryError, UsageError, first_line
from facecli.gallery.index import Index, Score, unit
from facecli.gallery.scan import Seen
from facecli.gallery.store import cache
from facecli.gallery.store.store import GalleryStore

Wide = NDArray[np.float64]
BATCH = 4096  # rows that are sent at once
ALONE = "SELECT pg_advisory_xact_lock(hashtext(%s))"  # one at a time makes or deletes a gallery's copy
LOOKING, MOST_LOOKING = 256, 1000  # rows that an index keeps in view, and pgvector's limit
ROUNDING = 1e-5  # of products of float32, generously


@dataclass(frozen=True, slots=True)
class TableScan:
    """The scan of a table by pgvector. Its bound holds for every other row where the table has no index."""

    connection: Any
    table: str

    def likest(self, probes: Wide, count: int) -> Seen:
        """Return the rows that are likest to each probe, a row of (P, dim) of length 1 or 0."""
        query = f"SELECT row, embedding <#> %s::vector AS near FROM {self.table} ORDER BY near LIMIT %s"  # noqa: S608
        rows, bounds = [], []
        with _in_words(), self.connection.transaction():
            looking = min(MOST_LOOKING, max(LOOKING, 2 * count))
            self.connection.execute(f"SET LOCAL hnsw.ef_search = {looking}")
            self.connection.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
            for probe in probes:
                found = self.connection.execute(query, (_text(probe), count)).fetchall()
                rows.append([row for row, _ in found] + [found[0][0]] * (count - len(found)))
                bounds.append(ROUNDING - max(near for _, near in found) if len(found) == count else np.inf)
        return Seen(np.array(rows, np.int64).reshape(len(probes), -1), np.array(bounds, np.float64))


def open_index(store: GalleryStore, url: str, score: Score = "blend", people: Sequence[str] = ()) -> Index:
    """Return the index of a gallery that is searched in the database of a URL, postgresql://user@host/name.

    Its copy is made there if need be, and the gallery remembers where: a copy elsewhere is deleted first. Some people
    alone are searched exactly, here. Raises what `cache.open_index` does, GalleryError for a database that can not be
    used, and UsageError for a URL with a password, and if psycopg is not installed.
    """
    _check(url)
    state = store.state
    index = cache.open_index(store, score, people)
    if people or not len(index.rows):
        return index
    schema = _schema(store)
    connection = _connected(url)
    if _place(store) not in (None, url):
        discard(store)
    with store.database.transaction(revises=False):
        store.database.change("INSERT OR REPLACE INTO meta VALUES ('postgres', ?)", (url,))
    try:
        _bring(connection, store, state, index)
    except BaseException:
        connection.close()
        raise
    searched = index.scanned((TableScan(connection, f"{schema}.template"), TableScan(connection, f"{schema}.centroid")))
    weakref.finalize(searched, connection.close)  # an index is not closed by hand
    return searched


def discard(store: GalleryStore) -> str | None:
    """Delete the copy of a gallery, and return where it was; None without one. Raises GalleryError, UsageError.

    The database's own log and its backups may hold it for longer.
    """
    place = _place(store)
    if place is None:
        return None
    with closing(_connected(place)) as connection, _in_words(), connection.transaction():
        connection.execute(ALONE, (_schema(store),))
        connection.execute(f"DROP SCHEMA IF EXISTS {_schema(store)} CASCADE")
    with store.database.transaction(revises=False):
        store.database.change("DELETE FROM meta WHERE key = 'postgres'")
    return place


def _bring(connection: Any, store: GalleryStore, state: str, index: Index) -> None:
    """Make the copy of a state of a gallery, unless it is there. Raises GalleryError if the gallery has another."""
    schema = _schema(store)
    with _in_words(), connection.transaction():
        connection.execute(ALONE, (schema,))
        if store.state != state:  # whoever was removed meanwhile must not be copied
            raise GalleryError(f"{store.path} was changed while it was copied", hint="try again")
        if _state(connection, schema) != state:
            _copy(connection, schema, state, index)


def _copy(connection: Any, schema: str, state: str, index: Index) -> None:
    dim = index.rows.shape[1]
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    tables: dict[str, tuple[int, Callable[[int, int], Wide]]] = {
        "template": (len(index.rows), lambda first, last: unit(index.rows[first:last])),
        "centroid": (len(index.people), index.centroids),
    }
    for name, (count, rows) in tables.items():
        columns = f"(row bigint PRIMARY KEY, embedding vector({dim}) NOT NULL)"
        connection.execute(f"CREATE TABLE IF NOT EXISTS {schema}.{name} {columns}")
        connection.execute(f"TRUNCATE {schema}.{name}")
        connection.execute(f"ALTER TABLE {schema}.{name} ALTER COLUMN embedding TYPE vector({dim})")  # if it migrated
        with connection.cursor().copy(f"COPY {schema}.{name} FROM STDIN") as copy:
            for start in range(0, count, BATCH):
                for number, row in enumerate(rows(start, min(start + BATCH, count)), start):
                    copy.write_row((number, _text(row)))
    connection.execute(f"COMMENT ON SCHEMA {schema} IS '{_plain(state)}'")


def _state(connection: Any, schema: str) -> str | None:
    """Return the state of the gallery that a copy is of; None without one."""
    (found,) = connection.execute("SELECT obj_description(to_regnamespace(%s), 'pg_namespace')", (schema,)).fetchone()
    return None if found is None else str(found)


def _place(store: GalleryStore) -> str | None:
    """Return the URL of the database that has a copy of a gallery; None without one."""
    found = store.database.rows("SELECT value FROM meta WHERE key = 'postgres'")
    return str(found[0][0]) if found else None


def _schema(store: GalleryStore) -> str:
    return f"facecli_{_plain(store.meta('uuid')).replace('-', '')}"


def _plain(text: str) -> str:
    """Return a text of a gallery's file that is to stand in SQL. Raises GalleryError: the file may be a stranger's."""
    if re.fullmatch("[0-9a-f-]+", text) is None:
        raise GalleryError("the gallery is damaged: it is not named as one", hint="run `facecli gallery verify`")
    return text


def _text(row: Wide) -> str:
    return "[" + ",".join(map(repr, row.astype(np.float32).tolist())) + "]"


def _check(url: str) -> None:
    """Raise UsageError for a URL that has a password, or may have one: it is kept, and told. It is not repeated."""
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or any("password" in name.lower() for name in parse_qs(parts.query))
        whole = parts.port != 0 and "@" not in parts.path + parts.query + parts.fragment
    except ValueError:  # of the port: the beginning of a password with a slash
        secret, whole = False, False
    hint = "give a password in PGPASSWORD, or in PostgreSQL's password file"
    if secret:
        raise UsageError("the URL for {search} has a password, which others would see", hint=hint, about="search")
    if not whole:
        raise UsageError("{search} is not postgresql://USER@HOST:PORT/NAME", hint=hint, about="search")


def _connected(url: str) -> Any:
    try:
        import psycopg
    except ImportError as error:
        message = "searching with PostgreSQL needs psycopg"
        raise UsageError(message, hint='pip install "facecli[postgres]"', about="search") from error
    with _in_words():
        return psycopg.connect(url, autocommit=True, connect_timeout=10)


@contextmanager
def _in_words() -> Iterator[None]:
    """Raise GalleryError for what PostgreSQL refuses."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        message = f"PostgreSQL can not be used: {first_line(error)}"
        raise GalleryError(message, hint="see that it runs, has pgvector, and lets you in") from error
