"""Embeddings as one file: .npz, .npy or .parquet, each carrying the model it is of; no pickle anywhere."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from facecli.errors import UsageError
from facecli.output.sink import dumps
from facecli.pipeline.results import ImageResult
from facecli.system.files import check_writable, staged
from facecli.types import FloatArray

SUFFIXES = (".npz", ".npy", ".parquet")


class Collector:
    """Gathers the faces of many results and writes them at the end, whole or not at all.

    Raises UsageError for a suffix that is not supported and OutputError for a place that can not be written, before any
    work.
    """

    def __init__(self, path: Path) -> None:
        self._kind = path.suffix.lower()
        if self._kind not in SUFFIXES:
            raise UsageError(
                f"can not write embeddings as {path.suffix or path.name!r}", hint=f"use {', '.join(SUFFIXES)}"
            )
        if self._kind == ".parquet":
            _import_pyarrow()
        check_writable(path)
        self._path = path
        self._embeddings: list[FloatArray] = []
        self._bboxes: list[FloatArray] = []
        self._sources: list[str] = []
        self._faces: list[int] = []
        self._scores: list[float] = []

    def add(self, result: ImageResult) -> None:
        """Take the faces of one result in."""
        if result.embeddings is None:
            return
        count = len(result.embeddings)
        missing = np.full((count, 5), np.nan, np.float32)  # a crop that was not detected has no place and no score
        found = result.detections
        self._embeddings.append(result.embeddings)
        self._bboxes.append(missing[:, :4] if found is None else found.bboxes)
        self._scores += (missing[:, 4] if found is None else found.scores).tolist()
        self._sources += [result.source] * count
        self._faces += list(result.indices)

    def write(self, header: dict[str, Any]) -> None:
        """Write the file; `header` says which model the rows are of. Raises OutputError."""
        dim = header["recognizer"]["dim"]
        rows = np.concatenate([np.zeros((0, dim), np.float32), *self._embeddings])
        bboxes = np.concatenate([np.zeros((0, 4), np.float32), *self._bboxes])
        if self._kind == ".npy":
            self._write_npy(rows, header)
            return
        meta = json.dumps(header)
        with staged(self._path, parents=False) as temporary:
            if self._kind == ".parquet":
                self._write_parquet(temporary, rows, bboxes, meta)
                return
            with temporary.open("wb") as stream:
                np.savez(stream, embedding=rows, bbox=bboxes, meta=np.array(meta), **self._columns())

    def _write_npy(self, rows: FloatArray, header: dict[str, Any]) -> None:
        """The .npy format has no room for metadata: that lies beside, as NAME.npy.json.

        It takes its place last, and says which matrix it is of: if only the first of the two moves is done, the pair
        that is left can be told to be none.
        """
        pairs = zip(self._sources, self._faces, strict=True)
        listed = [{"source": source, "face": face} for source, face in pairs]
        beside = self._path.with_name(f"{self._path.name}.json")
        with staged(beside, parents=False) as notes, staged(self._path, parents=False) as matrix:
            with matrix.open("wb") as stream:
                np.save(stream, rows, allow_pickle=False)
            with matrix.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            notes.write_text(dumps(header | {"sha256": sha256, "rows": listed}, indent=2), "utf-8")

    def _columns(self) -> dict[str, Any]:
        names = [source.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for source in self._sources]
        scores = np.array(self._scores, np.float32)
        return {"source": np.array(names, np.str_), "face": np.array(self._faces, np.int64), "score": scores}

    def _write_parquet(self, path: Path, rows: FloatArray, bboxes: FloatArray, meta: str) -> None:
        pyarrow, parquet = _import_pyarrow()
        columns = {name: pyarrow.array(column.tolist()) for name, column in self._columns().items()}
        columns["bbox"] = pyarrow.FixedSizeListArray.from_arrays(bboxes.reshape(-1), 4)
        columns["embedding"] = pyarrow.FixedSizeListArray.from_arrays(rows.reshape(-1), rows.shape[1])
        table = pyarrow.table(columns)
        parquet.write_table(table.replace_schema_metadata({"facecli": meta}), path)


def _import_pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError("writing .parquet needs pyarrow", hint='pip install "facecli[parquet]"') from error
    return pa, parquet
