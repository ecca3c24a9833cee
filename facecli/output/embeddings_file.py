"""Embeddings as one file, .npz, .npy or .parquet, together with the model that they are of.

Embeddings of different models can not be compared, so that none is stored without its model. No format uses pickle: a
file from somebody else can be opened without running code of theirs.
"""

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
from facecli.system.parquet import import_pyarrow
from facecli.types import FloatArray

SUFFIXES = (".npz", ".npy", ".parquet")


class EmbeddingsFile:
    """A file of embeddings that gathers the faces of many results and appears at the end, whole or not at all.

    Raises, when it is made, UsageError for a suffix that is not supported and for .parquet without pyarrow, and
    OutputError for a path that can not be written.
    """

    def __init__(self, path: Path) -> None:
        self._kind = path.suffix.lower()
        if self._kind not in SUFFIXES:
            raise UsageError(
                f"can not write embeddings as {path.suffix or path.name!r}", hint=f"use {', '.join(SUFFIXES)}"
            )
        if self._kind == ".parquet":
            import_pyarrow()
        check_writable(path)
        self._path = path
        self._embeddings: list[FloatArray] = []
        self._bboxes: list[FloatArray] = []
        self._sources: list[str] = []
        self._faces: list[int] = []
        self._scores: list[float] = []

    @property
    def count(self) -> int:
        """The number of embeddings so far."""
        return len(self._sources)

    @property
    def pictures(self) -> int:
        """The number of pictures that they are of."""
        return len(dict.fromkeys(self._sources))

    def add(self, result: ImageResult) -> None:
        """Add the faces of one result; a picture that is itself a crop has NaN for bbox and score."""
        if result.embeddings is None:
            return
        count = len(result.embeddings)
        missing = np.full((count, 5), np.nan, np.float32)
        detections = result.detections
        self._embeddings.append(result.embeddings)
        self._bboxes.append(missing[:, :4] if detections is None else detections.bboxes)
        self._scores += (missing[:, 4] if detections is None else detections.scores).tolist()
        self._sources += [result.source] * count
        self._faces += list(result.indices)

    def write(self, header: dict[str, Any]) -> None:
        """Write the file. header: of the document, whose `recognizer` is the model. Raises OutputError."""
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
        """Write a matrix and, because .npy has no room for metadata, NAME.npy.json beside it.

        The JSON file is moved to its place last and holds the matrix's sha256. A crash between the two moves therefore
        leaves a pair that does not fit, and that a reader can recognise by the hash.
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
        """Return source, face index and score of every row; bytes of a name that are no UTF-8 become U+FFFD."""
        names = [source.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for source in self._sources]
        scores = np.array(self._scores, np.float32)
        return {"source": np.array(names, np.str_), "face": np.array(self._faces, np.int64), "score": scores}

    def _write_parquet(self, path: Path, rows: FloatArray, bboxes: FloatArray, meta: str) -> None:
        pyarrow, parquet = import_pyarrow()
        columns = {name: pyarrow.array(column.tolist()) for name, column in self._columns().items()}
        columns["bbox"] = pyarrow.FixedSizeListArray.from_arrays(bboxes.reshape(-1), 4)
        columns["embedding"] = pyarrow.FixedSizeListArray.from_arrays(rows.reshape(-1), rows.shape[1])
        table = pyarrow.table(columns)
        parquet.write_table(table.replace_schema_metadata({"facecli": meta}), path)
