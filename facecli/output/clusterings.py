"""The people of pictures for people and programs: the document of `facecli cluster`, its rows, and the ids in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facecli.clustering.album import Member
from facecli.clustering.clusters import ID, Cluster, Clustering
from facecli.errors import InputError, Wording, keyword
from facecli.output import records
from facecli.output.records import SCORE_DIGITS, Record
from facecli.output.verifications import DIGITS
from facecli.pictures.sources import Source, read_file
from facecli.types import Limits

SCHEMA = "facecli.cluster/1"
ALONE, IGNORED = "alone", "ignored"


def document(clustering: Clustering, parts: Mapping[str, Any], wording: Wording = keyword) -> Record:
    """Return the document of a clustering.

    parts: what else belongs to it: gallery, detector, recognizer, and the name of a preset. wording: spells settings in
    the errors of pictures.
    """
    rule = clustering.rule
    listed = [*(one.members for one in clustering.clusters), clustering.alone, clustering.ignored]
    return records.header(
        "cluster",
        **parts,
        threshold=round(rule.threshold, DIGITS),
        threshold_source=rule.source,
        fmr=rule.fmr,
        min_faces=clustering.least,
        pictures=clustering.pictures,
        faces=sum(map(len, listed)),
        clusters=list(map(_cluster, clustering.clusters)),
        alone=list(map(_face, clustering.alone)),
        ignored=list(map(_face, clustering.ignored)),
        failed=[{"source": source, "error": records.error(error, wording)} for source, error in clustering.failed],
        written=None,
    )


def csv_rows(document: Record) -> list[Record]:
    """Return the rows of a CSV: one per face, with the id of its cluster, or "alone" or "ignored"."""
    rows = []
    for one in document["clusters"]:
        rows += [_row(one["id"], one["person"], face) for face in one["faces"]]
    return rows + [_row(name, None, face) for name in (ALONE, IGNORED) for face in document[name]]


def table_rows(document: Record) -> list[Record]:
    """Return the rows of a table: one per cluster with the name of one of its pictures, and the faces that remain."""
    named = [(one["id"], one["person"], one["cohesion"], one["faces"]) for one in document["clusters"]]
    rest = [(name, None, None, document[name]) for name in (ALONE, IGNORED) if document[name]]
    return [
        {
            "cluster": name,
            "person": person,
            "faces": len(faces),
            "pictures": len({face["source"] for face in faces}),
            "cohesion": cohesion,
            "picture": faces[0]["source"],
        }
        for name, person, cohesion, faces in named + rest
    ]


def read_ids(path: Path, max_bytes: int) -> dict[str, str]:
    """Return the ids of an earlier document: face's hash -> id of its cluster. Raises InputError for no document."""
    data = Source(str(path), read_file).read(Limits(max_bytes=max_bytes))
    try:
        return _ids(json.loads(data))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = f"{path} is no result of facecli cluster: {type(error).__name__}: {error}"
        raise InputError(message, hint="name a file that `facecli cluster ... -o FILE.json` wrote") from error


def _ids(document: Any) -> dict[str, str]:
    if document["schema"] != SCHEMA:
        raise ValueError(f"its schema is {document['schema']!r:.40}")
    ids = {face["hash"]: one["id"] for one in document["clusters"] for face in one["faces"]}
    if not all(re.fullmatch(f"[0-9a-f]{{{ID}}}", own) for own in ids.values()):  # they become names of folders
        raise ValueError("an id is none of ours")
    return ids


def _cluster(one: Cluster) -> Record:
    cohesion = None if one.cohesion is None else round(one.cohesion, SCORE_DIGITS)
    return {"id": one.id, "person": one.person, "cohesion": cohesion, "faces": list(map(_face, one.members))}


def _face(member: Member) -> Record:
    return {"source": member.source, "face": member.index, "hash": member.hash, "gallery_face": member.kept}


def _row(cluster: str, person: str | None, face: Record) -> Record:
    return {"cluster": cluster, "person": person, **face}


CSV_COLUMNS: Sequence[str] = ("cluster", "person", "source", "face", "hash", "gallery_face")
