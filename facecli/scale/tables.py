"""The two tables of a shard: a row per face, and exactly one row per picture, as Parquet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from facecli.hosting.toolbox import Toolbox
from facecli.output import records, rows
from facecli.pipeline.results import ImageResult
from facecli.scale import columns
from facecli.scale.files import SHARD, Table
from facecli.scale.query import Query
from facecli.system.parquet import import_pyarrow

HEADER = b"facecli"  # a key of a file's metadata, that of an embeddings file, too


class ShardTables:
    """The rows of a shard, gathered picture by picture. tools: loaded; the files tell how they run."""

    def __init__(self, query: Query, tools: Toolbox) -> None:
        self._pyarrow, self._parquet = import_pyarrow()
        self._header = json.dumps(columns.header(query, tools))
        self._texts, numbers = columns.of_answers(query, tools)
        self._numbers, self._rotated = numbers, bool(query.settings.get("rotate") == "auto")
        plugin = tools.recognizer_plugin
        self._dim = None if plugin is None else plugin.dim
        self._faces: list[dict[str, Any]] = []
        self._pictures: list[dict[str, Any]] = []

    def add(self, place: int, result: ImageResult, sha256: str | None) -> None:
        """Add a picture with its faces. place: among the pictures of the shard. sha256: of its file, if it was read."""
        error = records.error(result.error) or {}
        self._pictures.append(
            {
                "picture": place,
                "source": _text(result.source),
                "sha256": sha256,
                "width": result.width,
                "height": result.height,
                "detected": result.detected,
                "faces_found": result.faces_found,
                "rotated": result.rotated,
                "error_code": error.get("code"),
                "error_message": _text(error.get("message")),
                "error_hint": _text(error.get("hint")),
            }
        )
        told = rows.csv_rows(records.image(result)) if self._texts or self._numbers else []
        for row, index in enumerate(result.indices):
            found = result.detections
            landmarks = None if found is None or found.landmarks is None else found.landmarks[row].reshape(-1)
            answers = {name: told[row].get(name) for name in (*self._texts, *self._numbers)}
            self._faces.append(
                {
                    "picture": place,
                    "source": _text(result.source),
                    "face": index,
                    "score": None if found is None else found.scores[row],
                    "bbox": None if found is None else found.bboxes[row],
                    "landmarks": landmarks,
                    **answers,
                    "embedding": None if result.embeddings is None else result.embeddings[row],
                }
            )

    def tables(self) -> tuple[Table, Table]:
        """Return the faces and the pictures so far."""
        pa = self._pyarrow
        return (
            pa.Table.from_pylist(self._faces, schema=self._faces_schema()),
            pa.Table.from_pylist(self._pictures, schema=self._pictures_schema()),
        )

    def content(self, faces: Table, pictures: Table, facts: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """Return both tables as files. facts: about the shard, for the metadata of its pictures."""
        counts = Counter(code for code in pictures.column("error_code").to_pylist() if code is not None)
        told: dict[str, Any] = {"pictures": len(pictures), "faces": len(faces), "failed": sum(counts.values())}
        told |= {"errors": dict(sorted(counts.items())), **facts}
        return self._file(faces, {}), self._file(pictures, {SHARD: json.dumps(told)})

    def _file(self, table: Table, more: Mapping[bytes, str]) -> bytes:
        stream = BytesIO()
        self._parquet.write_table(table.replace_schema_metadata({HEADER: self._header, **more}), stream)
        return stream.getvalue()

    def _faces_schema(self) -> Any:
        pa = self._pyarrow
        fields = [("picture", pa.int64()), ("source", pa.string()), ("face", pa.int64()), ("score", pa.float32())]
        fields += [("bbox", pa.list_(pa.float32(), 4)), ("landmarks", pa.list_(pa.float32(), 10))]
        fields += [(name, pa.string()) for name in self._texts] + [(name, pa.float64()) for name in self._numbers]
        if self._dim is not None:
            fields.append(("embedding", pa.list_(pa.float32(), self._dim)))
        return pa.schema(fields)

    def _pictures_schema(self) -> Any:
        pa = self._pyarrow
        fields = [("picture", pa.int64()), ("source", pa.string()), ("sha256", pa.string())]
        fields += [("width", pa.int32()), ("height", pa.int32()), ("detected", pa.bool_())]
        fields += [("faces_found", pa.int64())] + ([("rotated", pa.int32())] if self._rotated else [])
        fields += [(f"error_{part}", pa.string()) for part in ("code", "message", "hint")]
        return pa.schema(fields)


def _text(value: str | None) -> str | None:
    """Return a text that UTF-8 can hold: bytes of a file name that are no UTF-8 become U+FFFD."""
    return None if value is None else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
