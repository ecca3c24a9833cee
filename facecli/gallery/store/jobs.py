"""A job's faces into a gallery: what many machines have embedded, shard by shard, without a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from facecli.errors import AmbiguousFaceError, FacecliError, InputError, NoFaceError, UsageError
from facecli.gallery import names
from facecli.gallery.space import Space
from facecli.gallery.store import exchange
from facecli.gallery.store.exchange import Arrays, Contents, Imported
from facecli.gallery.store.store import GalleryStore
from facecli.matching.stored_job import StoredShard

Rejected = list[tuple[str, FacecliError]]


def add(store: GalleryStore, shards: Iterable[StoredShard]) -> Iterator[Imported]:
    """Add the one face of each picture of a job's shards, named after the folder that the picture lies in.

    Each shard is a transaction; yields what became of it, when that is on the disk. Pictures that failed and such with
    no face or several are rejected. Raises UsageError for embeddings of another space than the gallery's.
    """
    for shard in shards:
        rejected: Rejected = []
        arrays = _arrays(shard, rejected)
        done = exchange.add(store, Contents(arrays, lambda _row: None))
        yield Imported(done.added, done.known, (*rejected, *done.rejected))


def _arrays(shard: StoredShard, rejected: Rejected) -> Arrays:
    """Return a shard in the form of an exported gallery; what can not be enrolled is added to `rejected`."""
    faces = Counter(shard.places)
    row_of = {place: row for row, place in enumerate(shard.places)}
    chosen: list[tuple[int, str, Mapping[str, Any]]] = []
    for picture in shard.pictures:
        place = picture["picture"]
        try:
            chosen.append((row_of.get(place, -1), _person(picture, faces[place]), picture))
        except FacecliError as error:
            rejected.append((picture["source"], error))
    rows = [row for row, _, _ in chosen]
    pictures = [picture for _, _, picture in chosen]
    hashes = b"".join(bytes.fromhex(picture["sha256"]) for picture in pictures)
    return {
        "identity": np.array(Space(shard.stored.identity, shard.stored.rows.shape[1]).text),
        "dim": np.array(shard.stored.rows.shape[1]),
        "person": np.array([person for _, person, _ in chosen], np.str_),
        "kind": np.array(["known"] * len(rows), np.str_),
        "sha256": np.frombuffer(hashes, np.uint8).reshape(-1, 32),
        "source": np.array([picture["source"] for picture in pictures], np.str_),
        "size": np.array([(picture["width"], picture["height"]) for picture in pictures], np.int64).reshape(-1, 2),
        "bbox": shard.bboxes[rows],
        "landmarks": shard.landmarks[rows],
        "score": shard.scores[rows].astype(np.float64),
        "embedding": shard.stored.rows[rows],
        "rejection_face": np.zeros(0, np.int64),
        "rejection_person": np.zeros(0, np.str_),
    }


def _person(picture: Mapping[str, Any], faces: int) -> str:
    """Return the name of a picture's person. Raises what speaks against enrolling it."""
    source = str(picture["source"])
    if picture["error_code"] is not None:
        raise InputError(picture["error_message"], hint="see the job's pictures; {retry_failed} tries it again")
    if faces == 0:
        raise NoFaceError(f"no face was found in {source}", hint="give another picture")
    if faces > 1:
        raise AmbiguousFaceError(f"one face is needed and {faces} were found in {source}", hint="cut the picture")
    name = PurePath(source).parent.name
    if not name:
        raise UsageError(f"{source} lies in no person's folder", hint="begin the job with the folder of people")
    return names.clean(name)
