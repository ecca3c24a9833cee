"""The frozen list of a job's pictures: written once in bounded memory, read back shard by shard.

Each list has files under a random name of its own, which job.json tells, so that of several commands that begin a job
in one folder none writes over the list of another. A file of the list holds many shards, each as a row group of its
own, so that one shard is read without the others. An archive of pictures is a shard by itself: what is in it shows
when a worker reads it from end to end.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, islice
from typing import Any

from facecli.errors import InputError, UsageError
from facecli.places.place import Place
from facecli.scale.files import whole
from facecli.system.parquet import import_pyarrow

SHARDS_PER_FILE = 100
USUAL = 1000  # names in a shard
FEWEST = 10  # names in a shard of a short list, which is cut into MANY shards so that many workers have a part
MANY = 32
ARCHIVES = (".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True, slots=True)
class Frozen:
    """A list that was written.

    name: how its files begin. names: pictures and archives in it. sha256: of all names in order.
    """

    name: str
    names: int
    shards: int
    archives: int
    sha256: str


def is_archive(name: str) -> bool:
    """Return whether a name is that of an archive of pictures."""
    return name.lower().endswith(ARCHIVES)


def freeze(names: Iterable[str], place: Place, size: int | None) -> Frozen:
    """Write the names into the place, `size` in a shard. Raises OutputError, UsageError if there is none.

    size: None takes USUAL, or fewer where the list is short.
    """
    if size is None:
        coming = iter(names)
        first = list(islice(coming, MANY * USUAL))
        size = min(USUAL, max(FEWEST, -(-len(first) // MANY)))
        names = chain(first, coming)
    told = hashlib.sha256()
    count = archives = shards = 0
    name = os.urandom(8).hex()
    writer = _Writer(place, name)
    for shard in _cut(names, size):
        _tell(told, shard)
        count += len(shard)
        archives += is_archive(shard[0])
        shards += 1
        writer.add(shard)
    writer.close()
    if not count:
        raise UsageError("the list of pictures is empty", hint="check the names")
    return Frozen(name, count, shards, archives, told.hexdigest())


def hashed(names: Iterable[str]) -> str:
    """Return the sha256 that Frozen has of these names."""
    told = hashlib.sha256()
    _tell(told, names)
    return told.hexdigest()


def keep(place: Place, name: str) -> None:
    """Remove the files of all lists but one: those of commands that were killed, or not the first in the folder."""
    for file in place.names("listing"):
        if not file.startswith(f"{name}-"):
            place.remove(f"listing/{file}")


def check(place: Place, name: str, shards: int, sha256: str) -> None:
    """Raise InputError for a list that is not the one that was frozen, and what `read` raises."""
    files = range(-(-shards // SHARDS_PER_FILE))
    if hashed(chain.from_iterable(_read(place, name, file, None) for file in files)) != sha256:
        message = f"listing/{name}-*.parquet is not the list of this job"
        raise InputError(message, hint="begin the job anew in another {output}", about="output")


def read(place: Place, name: str, number: int) -> list[str]:
    """Return the names of a shard. name: of the list.

    Raises OutputError, InputError for a file that is missing or damaged.
    """
    return _read(place, name, *divmod(number, SHARDS_PER_FILE))


def _read(place: Place, name: str, file: int, row: int | None) -> list[str]:
    """Return the names of one shard in a file, or of all in it."""
    _, parquet = import_pyarrow()
    path, lost = _file(name, file), "begin the job anew in another {output}"
    try:
        stream = place.open(path)
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing", hint=lost, about="output") from error
    with whole(path, lost), stream, parquet.ParquetFile(stream) as opened:
        table = opened.read(columns=["name"]) if row is None else opened.read_row_group(row, columns=["name"])
    return [os.fsdecode(name) for name in table.column("name").to_pylist()]


class _Writer:
    """Gathers shards, and writes a file for each SHARDS_PER_FILE of them."""

    def __init__(self, place: Place, name: str) -> None:
        self._place, self._name, self._written, self._inside = place, name, 0, 0
        self._pyarrow, self._parquet = import_pyarrow()
        self._schema = self._pyarrow.schema([("name", self._pyarrow.binary())])  # a name need not be UTF-8
        self._buffer = BytesIO()
        self._opened: Any = None

    def add(self, shard: list[str]) -> None:
        """Add the names of a shard."""
        pa: Any = self._pyarrow
        if self._opened is None:
            self._opened = self._parquet.ParquetWriter(self._buffer, self._schema)
        column = pa.array([os.fsencode(name) for name in shard], pa.binary())
        self._opened.write_table(pa.table([column], self._schema), row_group_size=len(shard))
        self._inside += 1
        if self._inside == SHARDS_PER_FILE:
            self.close()

    def close(self) -> None:
        """Write the file that is begun."""
        if self._opened is None:
            return
        self._opened.close()
        self._place.write(_file(self._name, self._written), self._buffer.getvalue())
        self._written += 1
        self._buffer, self._opened, self._inside = BytesIO(), None, 0


def _cut(names: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield lists of `size` names, the last one of fewer; an archive is alone."""
    shard: list[str] = []
    for name in names:
        if is_archive(name):
            yield [name]
            continue
        shard.append(name)
        if len(shard) == size:
            yield shard
            shard = []
    if shard:
        yield shard


def _tell(told: hashlib._Hash, names: Iterable[str]) -> None:
    for name in names:
        told.update(os.fsencode(name) + b"\0")


def _file(name: str, number: int) -> str:
    return f"listing/{name}-{number:05}.parquet"
