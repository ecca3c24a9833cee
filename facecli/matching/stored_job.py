"""The stored embeddings of a job: the folder that `facecli embed INPUTS -o FOLDER/` has filled, shard by shard."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from facecli.errors import FacecliError, InputError
from facecli.matching.stored import StoredEmbeddings
from facecli.system.parquet import import_pyarrow
from facecli.types import FloatArray

FILE = "job.json"
HINT = "make it with `facecli embed INPUTS -o FOLDER/`"
Table = Any  # of pyarrow, which brings no types


@dataclass(frozen=True, slots=True, eq=False)
class StoredShard:
    """One shard of a job.

    stored: its embeddings; names of pictures are whole ones. places: of each face's picture in the shard. bboxes,
    scores: (N, 4) and (N,) float32; NaN where no detector ran. landmarks: (N, 5, 2) float32 or NaN. pictures: a row for
    each picture: picture (its place), source, sha256, width, height, error_code, error_message.
    """

    stored: StoredEmbeddings
    places: tuple[int, ...]
    bboxes: FloatArray
    scores: FloatArray
    landmarks: FloatArray
    pictures: list[Mapping[str, Any]]


def is_job(path: str | os.PathLike[str]) -> bool:
    """Return whether a name is that of a job's folder."""
    return os.path.isfile(os.path.join(path, FILE))  # noqa: PTH113, PTH118 # a name may be too long for a Path


def shards(folder: Path) -> Iterator[StoredShard]:
    """Return the shards of a job in order, the first read at once, each other one when it is asked for.

    Raises InputError for a job that is not done, one without embeddings, and a file that is damaged; UsageError if
    pyarrow is not installed.
    """
    if not (folder / "done.json").is_file():
        raise InputError(f"the job in {folder} is not done", hint="let its command go on until it is")
    try:
        job = json.loads((folder / FILE).read_bytes())
        start = str(job["folder"])
        embedded = job["asked"]["recognizer"] is not None
        count = int(job["listing"]["shards"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / FILE} is of no job of facecli", hint=HINT) from error
    if not embedded:
        raise InputError(f"the job in {folder} holds no embeddings", hint=HINT)
    read = (_shard(folder, f"{number:05}.parquet", start) for number in range(count))
    return chain([*islice(read, 1)], read)


def read(folder: Path, max_bytes: int) -> StoredEmbeddings:
    """Return all embeddings of a job, in the order of its list. Raises as `shards`, and for more than max_bytes."""
    size = sum(path.stat().st_size for path in (folder / "faces").glob("*.parquet"))
    if size > max_bytes:
        message = f"the faces of {folder} have {size} bytes, more than {max_bytes}"
        raise InputError(message, hint="raise {max_bytes}", about="max_bytes")
    parts = [shard.stored for shard in shards(folder)]
    rows = np.concatenate([part.rows for part in parts])
    sources = tuple(source for part in parts for source in part.sources)
    faces = tuple(face for part in parts for face in part.faces)
    return StoredEmbeddings(folder, rows, sources, faces, parts[0].header)


def _shard(folder: Path, name: str, start: str) -> StoredShard:
    _, parquet = import_pyarrow("reading a job")
    path = folder / "faces" / name
    try:
        faces, pictures = parquet.read_table(path), parquet.read_table(folder / "pictures" / name)
        header = json.loads(faces.schema.metadata[b"facecli"])
        places, names, indices = (tuple(faces.column(column).to_pylist()) for column in ("picture", "source", "face"))
        sources = tuple(_whole(name, start) for name in names)
        rows = _numbers(faces, "embedding", header["recognizer"]["dim"])
        stored = StoredEmbeddings(folder, rows, sources, indices, header)
        stored.check()
        bboxes, scores, landmarks = (
            _numbers(faces, column, width) for column, width in (("bbox", 4), ("score", 1), ("landmarks", 10))
        )
        columns = ("picture", "source", "sha256", "width", "height", "error_code", "error_message")
        told: list[dict[str, Any]] = pictures.select(list(columns)).to_pylist()
        own: list[Mapping[str, Any]] = [row | {"source": _whole(row["source"], start)} for row in told]
        return StoredShard(stored, places, bboxes, scores[:, 0], landmarks.reshape(-1, 5, 2), own)
    except FacecliError:
        raise
    except OSError as error:
        raise InputError(f"can not read {path}: {error.strerror or error}", hint="is the job whole?") from error
    except Exception as error:  # whatever pyarrow and json find in a file that somebody has made
        message = f"{path} is no shard of a job: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        raise InputError(message, hint=HINT) from error


def _whole(name: str, start: str) -> str:
    """Return the name of a picture with the folder that relative names of the job start from."""
    return name if "://" in name else os.path.join(start, name)  # noqa: PTH118 # it may be too long for a Path


def _numbers(table: Table, name: str, width: int) -> FloatArray:
    """Return a column as (N, width) float32; rows of NaN where it tells nothing."""
    column = table.column(name).combine_chunks()
    if column.null_count:
        rows = [[np.nan] * width if value is None else value for value in column.to_pylist()]
        return np.array(rows, np.float32).reshape(-1, width)
    flat = column if width == 1 else column.flatten()
    return np.asarray(flat.to_numpy(zero_copy_only=False), np.float32).reshape(len(column), width)
