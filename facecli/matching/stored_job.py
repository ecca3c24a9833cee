"""The stored embeddings of a job: the folder that `facecli embed INPUTS -o FOLDER/` has filled."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from facecli.errors import FacecliError, InputError, first_line
from facecli.matching.stored import StoredEmbeddings
from facecli.places.opening import in_store, open_place
from facecli.places.place import Place
from facecli.system.parquet import import_pyarrow
from facecli.types import FloatArray

FILE = "job.json"
SCHEMA = "facecli.job/1"  # as scale.job writes it
HINT = "make it with `facecli embed INPUTS -o FOLDER/`"
Table = Any  # of pyarrow, which brings no types


@dataclass(frozen=True, slots=True, eq=False)
class StoredShard:
    """One shard of a job.

    stored: its embeddings; names of pictures are whole ones. places: of each face's picture in the shard. bboxes,
    scores: (N, 4) and (N,) float32; NaN where no detector ran. landmarks: (N, 5, 2) float32 or NaN. pictures: a row for
    each picture: picture (its place), source, sha256, width, height, error_code, error_message. size: bytes of the
    file of faces.
    """

    stored: StoredEmbeddings
    places: tuple[int, ...]
    bboxes: FloatArray
    scores: FloatArray
    landmarks: FloatArray
    pictures: list[Mapping[str, Any]]
    size: int


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job that is done.

    name: of its folder, or the URL. start: the folder that relative names of pictures start from. inputs: the names
    that its pictures were listed from. shards: how many. header: the document that its embeddings were written with.
    """

    name: str
    place: Place
    start: str
    inputs: tuple[str, ...]
    shards: int
    header: Mapping[str, Any] = field(default_factory=dict)

    def read(self) -> Iterator[StoredShard]:
        """Yield the shards in order. Raises InputError for a file that is missing or damaged."""
        return (_shard(self, number) for number in range(self.shards))


def is_job(name: str | os.PathLike[str]) -> bool:
    """Return whether a name is that of a job's folder; of what is in a store, nothing else is read here."""
    text = os.fsdecode(name)
    return in_store(text) or os.path.isfile(os.path.join(text, FILE))  # noqa: PTH113, PTH118 # it may be too long


def opened(name: str) -> StoredJob:
    """Return the job in a folder, or below a URL, after a look at its first shard.

    Raises InputError for a job that is not done, one without embeddings, and a file that is damaged; UsageError if
    pyarrow is not installed.
    """
    place = open_place(name, read_only=True)
    if "done.json" not in place.names(""):
        raise InputError(f"the job in {name} is not done", hint="let its command go on until it is")
    try:
        job = json.loads(place.read(FILE))
        ours = job["schema"] == SCHEMA
        start, inputs = str(job["folder"]), tuple(map(str, job["asked"]["inputs"]))
        embedded = job["asked"]["recognizer"] is not None
        shards = int(job["listing"]["shards"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{name.rstrip('/')}/{FILE} is of no job of facecli", hint=HINT) from error
    if not ours:
        raise InputError(f"{name.rstrip('/')}/{FILE} is no {SCHEMA}, but {job['schema']!s:.60}", hint=HINT)
    if not embedded:
        raise InputError(f"the job in {name} holds no embeddings", hint=HINT)
    job = StoredJob(name, place, start, inputs, shards)
    return replace(job, header=_shard(job, 0).stored.header)


def read(name: str, max_bytes: int) -> StoredEmbeddings:
    """Return all embeddings of a job, in the order of its list. Raises as `opened`, and for more than max_bytes."""
    parts, size = [], 0
    for shard in opened(name).read():
        parts.append(shard.stored)
        size += shard.size
        if size > max_bytes:
            message = f"the faces of {name} have more than {max_bytes} bytes"
            raise InputError(message, hint="raise {max_bytes}", about="max_bytes")
    rows = np.concatenate([part.rows for part in parts])
    sources = tuple(source for part in parts for source in part.sources)
    faces = tuple(face for part in parts for face in part.faces)
    return StoredEmbeddings(Path(name), rows, sources, faces, parts[0].header)


def _shard(job: StoredJob, number: int) -> StoredShard:
    _, parquet = import_pyarrow("reading a job")
    file = f"{number:05}.parquet"
    shown = f"{job.name.rstrip('/')}/faces/{file}"
    try:
        content = job.place.read(f"faces/{file}")
        faces = parquet.read_table(BytesIO(content))
        pictures = parquet.read_table(BytesIO(job.place.read(f"pictures/{file}")))
        header = json.loads(faces.schema.metadata[b"facecli"])
        places, names, indices = (tuple(faces.column(column).to_pylist()) for column in ("picture", "source", "face"))
        sources = tuple(_whole(name, job.start) for name in names)
        rows = _numbers(faces, "embedding", header["recognizer"]["dim"])
        stored = StoredEmbeddings(Path(job.name), rows, sources, indices, header)
        stored.check()
        bboxes, scores, landmarks = (
            _numbers(faces, column, width) for column, width in (("bbox", 4), ("score", 1), ("landmarks", 10))
        )
        columns = ("picture", "source", "sha256", "width", "height", "error_code", "error_message")
        told: list[dict[str, Any]] = pictures.select(list(columns)).to_pylist()
        own: list[Mapping[str, Any]] = [row | {"source": _whole(row["source"], job.start)} for row in told]
        return StoredShard(stored, places, bboxes, scores[:, 0], landmarks.reshape(-1, 5, 2), own, len(content))
    except FacecliError:
        raise
    except OSError as error:
        raise InputError(f"can not read {shown}: {error.strerror or error}", hint="is the job whole?") from error
    except Exception as error:  # whatever pyarrow and json find in a file that somebody has made
        message = f"{shown} is no shard of a job: {first_line(error)}"
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
