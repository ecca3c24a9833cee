"""The files of a shard read back: their tables, the facts about the shard, and rows that replace others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np

from facecli.errors import FacecliError, InputError, first_line
from facecli.system.parquet import import_pyarrow

Table = Any  # of pyarrow, which brings no types
SHARD = b"facecli.shard"  # the key of the facts in the metadata of a shard's pictures


@contextmanager
def whole(name: str, hint: str = "remove it, and the same command makes it again") -> Iterator[None]:
    """Turn what is raised about a file that somebody has damaged into InputError. name: of the file in its place."""
    try:
        yield
    except (FacecliError, FileNotFoundError):
        raise
    except (ValueError, KeyError, TypeError, OSError) as error:  # pyarrow raises the last for some damage
        raise InputError(f"{name} is damaged: {first_line(error)}", hint=hint, about="output") from error


def opened(content: bytes, name: str) -> Table:
    """Return the table of a Parquet file. name: of the file. Raises InputError if it is damaged."""
    _, parquet = import_pyarrow()
    with whole(name):
        return parquet.read_table(BytesIO(content))


def facts_of(stream: Any) -> dict[str, Any]:
    """Return the facts about a shard that its file of pictures holds. stream: the open file; its end alone is read."""
    _, parquet = import_pyarrow()
    facts: dict[str, Any] = json.loads(parquet.read_metadata(stream).metadata[SHARD])
    return facts


def rows_of(stream: Any) -> int:
    """Return the number of rows that a Parquet file holds. stream: the open file; its end alone is read."""
    _, parquet = import_pyarrow()
    return int(parquet.read_metadata(stream).num_rows)


def merged(old: Table, new: Table, again: set[int]) -> Table:
    """Return the rows of both tables in the order of their pictures; of pictures in `again` the new ones."""
    kept = np.array([place not in again for place in old.column("picture").to_pylist()], bool)
    pa, _ = import_pyarrow()
    together = pa.concat_tables([old.filter(pa.array(kept)), new.replace_schema_metadata(old.schema.metadata)])
    order = np.argsort(together.column("picture").to_numpy(), kind="stable")
    return together.take(pa.array(order))
