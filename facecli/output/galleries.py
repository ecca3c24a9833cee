"""A gallery for people and programs: what it is, who is in it, and what a person has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from facecli.evaluation.rates import Rate
from facecli.gallery.lookalikes import Pair
from facecli.gallery.rule import Rule
from facecli.gallery.store.care import Check
from facecli.gallery.store.forgetting import Receipt
from facecli.gallery.store.journal import Change
from facecli.gallery.store.records import Person, Point, StoredFace
from facecli.gallery.store.store import GalleryStore
from facecli.output import records
from facecli.output.records import PIXEL_DIGITS, SCORE_DIGITS, Record
from facecli.output.sink import dumps
from facecli.output.verifications import DIGITS
from facecli.system.files import write_bytes


def gallery(store: GalleryStore) -> Record:
    """Return which gallery it is, and what it is compared by; recognizer and detector are null for an empty one."""
    space = store.space
    return {
        "path": str(store.path),
        "uuid": store.meta("uuid"),
        "revision": store.revision,
        "recognizer": None if space is None else space.recognizer,
        "detector": None if space is None else space.detector,
        "dim": None if space is None else space.dim,
    }


def receipt(store: GalleryStore, removed: Receipt) -> Record:
    """Return the document of a removal, which is its receipt as well: it names nobody, people are their uids."""
    return records.header(
        "gallery.remove",
        gallery=gallery(store),
        dry_run=False,
        people=list(removed.people),
        faces=removed.faces,
        templates=removed.templates,
        pictures=removed.pictures,
        checked={
            "time": removed.time,
            "pieces": removed.pieces,
            "found": 0,
            "files": list(removed.files),
            "names_in_other_texts": removed.unchecked,
            "copy": removed.copy,
        },
    )


def changed(store: GalleryStore, change: Change, *, dry_run: bool) -> Record:
    """Return the document of a change by hand. dry_run: whether it was taken back at once."""
    return records.header(
        "gallery.change",
        gallery=gallery(store),
        change=change.action,
        dry_run=dry_run,
        text=change.text,
        people=list(change.people),
        faces=list(change.faces),
    )


def change_row(document: Record) -> Record:
    """Return a change as a row of a table."""
    return {name: document[name] for name in ("change", "text", "dry_run")}


def calibrated(store: GalleryStore, points: Sequence[Point]) -> Record:
    """Return the document of a calibration, each rate with its 95 % interval."""
    listed = []
    for one in points:
        interval = Rate(round(one.rate * one.searches), one.searches).interval
        listed.append(
            {
                "fpir": one.rate,
                "threshold": round(one.threshold, DIGITS),
                "interval": [round(value, SCORE_DIGITS) for value in interval],
                "people": one.people,
                "searches": one.searches,
            }
        )
    return records.header("gallery.calibrate", gallery=gallery(store), points=listed)


def lookalikes(store: GalleryStore, pairs: Sequence[Pair], decided: Rule | None) -> Record:
    """Return the document of pairs of people who look alike. decided: how `identify` decides; None without a rule.

    Its margin is by how much the first person must be nearer than the second to be named. A pair is `within` if one's
    picture is near enough to be taken for the other.
    """
    threshold, margin = (
        (None, None) if decided is None else (round(decided.threshold, DIGITS), round(decided.margin, DIGITS))
    )
    listed = [
        {
            "first": one.first,
            "second": one.second,
            "distance": round(one.distance, DIGITS),
            "within": None if decided is None else one.distance <= decided.threshold,
        }
        for one in pairs
    ]
    source = None if decided is None else decided.source
    parts = {"threshold": threshold, "threshold_source": source, "margin": margin, "pairs": listed}
    return records.header("gallery.lookalikes", gallery=gallery(store), **parts)


def verified(store: GalleryStore, checks: Sequence[Check]) -> Record:
    """Return the document of a gallery's checks."""
    listed = [{"check": one.name, "sound": one.found is None, "found": one.found} for one in checks]
    return records.header(
        "gallery.verify", gallery=gallery(store), sound=all(one["sound"] for one in listed), checks=listed
    )


def migrated(
    store: GalleryStore, counts: Record, failed: list[Record], *, switched: bool, dry_run: bool = False
) -> Record:
    """Return the document of a migration.

    counts: of pictures, of faces, and of crops of faces that were pending. failed: source and error of each picture
    that failed.
    """
    parts = {"dry_run": dry_run, **counts, "failed": failed, "switched": switched}
    return records.header("gallery.migrate", gallery=gallery(store), **parts)


def write(path: Path, document: Record) -> None:
    """Write a document as JSON into a file. Raises OutputError."""
    write_bytes(path, (dumps(document, indent=2) + "\n").encode("utf-8", "surrogateescape"), parents=False)


def person(one: Person) -> Record:
    """Return one person with what the gallery has of them."""
    return {
        "person": one.name,
        "uid": one.uid,
        "kind": one.kind,
        "pictures": one.pictures,
        "templates": one.templates,
        "created": one.created,
    }


def person_row(one: Person) -> Record:
    """Return a person as a row of a table."""
    row = person(one)
    del row["uid"], row["created"]
    return row


def face(one: StoredFace) -> Record:
    """Return one stored face. bbox: null where the whole picture is the face."""
    return {
        "face": one.id,
        "source": one.source,
        "sha256": one.sha256,
        "bbox": None if one.bbox is None else [round(value, PIXEL_DIGITS) for value in one.bbox],
        "score": None if one.score is None else round(one.score, SCORE_DIGITS),
        "how": one.how,
        "added": one.added,
    }


def face_row(record: Record) -> Record:
    """Return a stored face as a row of a table."""
    return {name: record[name] for name in ("face", "source", "how", "added")}
