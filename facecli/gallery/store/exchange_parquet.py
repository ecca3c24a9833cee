"""A gallery as a Parquet file: a row for each face; what is of the whole gallery lies in the schema's metadata."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from facecli.gallery.store import exchange
from facecli.gallery.store.exchange import Arrays, Contents
from facecli.system.parquet import import_pyarrow

BOX, POINTS = 4, 10  # numbers of a bbox, and of landmarks
FACTS = ("form", "identity", "dim", "rejection_face", "rejection_person")  # of the whole gallery


def write(path: Path, contents: Contents) -> None:
    """Write a gallery's arrays, without crops. Raises UsageError if pyarrow is not installed."""
    arrow, files = import_pyarrow()
    arrays = contents.arrays
    facts = {name: arrays[name].tolist() for name in FACTS}
    columns = {name: arrow.array(arrays[name].tolist()) for name in ("person", "kind", "score", "how")}
    columns["sha256"] = arrow.array([row.tobytes() for row in arrays["sha256"]], arrow.binary(32))
    columns["source"] = arrow.array([os.fsencode(name) for name in arrays["source"].tolist()], arrow.binary())
    columns["width"], columns["height"] = (arrow.array(side) for side in arrays["size"].T.copy())
    for name in ("bbox", "landmarks", "embedding"):
        rows = arrays[name].reshape(len(arrays[name]), -1)
        columns[name] = arrow.FixedSizeListArray.from_arrays(rows.reshape(-1), rows.shape[1])
    table = arrow.table(columns).replace_schema_metadata({"facecli": json.dumps(facts)})
    files.write_table(table, path)


def read(path: Path) -> Arrays:
    """Return the arrays of a file. Raises ValueError and KeyError for another one, UsageError as `write`."""
    arrow, files = import_pyarrow("reading .parquet")
    try:
        with files.ParquetFile(path) as file:
            groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
            if sum(one.total_byte_size for one in groups) > exchange.largest(path.stat().st_size):
                raise ValueError("its columns are far larger than the file")
            table = file.read()
    except arrow.ArrowException as error:
        raise ValueError(str(error)) from error
    facts = json.loads((table.schema.metadata or {})[b"facecli"])
    if any(column.null_count for column in table.columns):
        raise ValueError("a value is missing")

    def numbers(name: str, count: int) -> Any:
        return np.array(table[name].to_pylist(), np.float32).reshape(-1, count)

    sha256 = b"".join(table["sha256"].to_pylist())
    return {
        **{name: np.array(facts[name]) for name in ("form", "identity", "dim")},
        "rejection_face": np.array(facts["rejection_face"], np.int64),
        "rejection_person": np.array(facts["rejection_person"], np.str_),
        **{name: np.array(table[name].to_pylist(), np.str_) for name in ("person", "kind", "how")},
        "source": np.array([os.fsdecode(name) for name in table["source"].to_pylist()], np.str_),
        "sha256": np.frombuffer(sha256, np.uint8).reshape(-1, 32),
        "size": np.array([table[side].to_pylist() for side in ("width", "height")], np.int64).T,
        "score": np.array(table["score"].to_pylist(), np.float64),
        "bbox": numbers("bbox", BOX),
        "landmarks": numbers("landmarks", POINTS).reshape(-1, 5, 2),
        "embedding": numbers("embedding", int(facts["dim"])),
    }
