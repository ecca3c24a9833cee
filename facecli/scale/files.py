"""The files of a shard read back: their tables, the facts about the shard, and rows that replace others."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import numpy as np

from facecli.system.parquet import import_pyarrow

Table = Any  # of pyarrow, which brings no types
SHARD = b"facecli.shard"  # the key of the facts in the metadata of a shard's pictures


def opened(content: bytes) -> Table:
    """Return the table of a Parquet file."""
    _, parquet = import_pyarrow()
    return parquet.read_table(BytesIO(content))


def facts_of(stream: Any) -> dict[str, Any]:
    """Return the facts about a shard that its file of pictures holds. stream: the open file; its end alone is read."""
    _, parquet = import_pyarrow()
    facts: dict[str, Any] = json.loads(parquet.read_metadata(stream).metadata[SHARD])
    return facts


def merged(old: Table, new: Table, again: set[int]) -> Table:
    """Return the rows of both tables in the order of their pictures; of pictures in `again` the new ones."""
    kept = np.array([place not in again for place in old.column("picture").to_pylist()], bool)
    pa, _ = import_pyarrow()
    together = pa.concat_tables([old.filter(pa.array(kept)), new.replace_schema_metadata(old.schema.metadata)])
    order = np.argsort(together.column("picture").to_numpy(), kind="stable")
    return together.take(pa.array(order))
