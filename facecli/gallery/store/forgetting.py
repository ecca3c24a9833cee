"""Removing people for good: deleted, overwritten, and then looked for in every file of the gallery."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from facecli.errors import GalleryError, UsageError
from facecli.gallery.store import cache, postgres
from facecli.gallery.store.database import now
from facecli.gallery.store.records import Person
from facecli.gallery.store.store import GalleryStore

SUFFIXES = ("", "-wal", "-shm", "-journal")  # the files of a gallery beside each other, but for its cache
PIECE = 32  # bytes of a template or crop; a long one lies in several pages of the file, so pieces of it are looked for

MARKS = "(SELECT value FROM json_each(?))"  # a list of numbers, as JSON
TEMPLATES = f"SELECT embedding FROM template WHERE face IN {MARKS}"  # noqa: S608
CROPS = f"SELECT crop FROM face WHERE crop IS NOT NULL AND id IN {MARKS}"  # noqa: S608
SPELLED = """SELECT 1 FROM template WHERE instr(embedding, ?1) UNION ALL
    SELECT 1 FROM picture WHERE instr(sha256, ?1) UNION ALL
    SELECT 1 FROM face WHERE instr(crop, ?1) OR instr(bbox, ?1) OR instr(landmarks, ?1) LIMIT 1"""
SHARED = "SELECT 1 FROM face WHERE instr(crop, ?) LIMIT 1"  # all JPEGs of one encoder have the same first bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The proof of a removal.

    people: uids. faces, templates, pictures: how many were deleted. pieces: byte strings of templates, crops and names
    that were looked for, and found in none of `files`. unchecked: names that were not looked for, because other texts
    of the gallery contain them, or the numbers of an embedding spell them, as three letters among many. copy: the
    database whose copy of the gallery was deleted; its own log was not looked at. None without one.
    """

    time: str
    people: tuple[str, ...]
    faces: int
    templates: int
    pictures: int
    pieces: int
    files: tuple[str, ...]
    unchecked: int
    copy: str | None = None


def count(store: GalleryStore, people: Sequence[Person], pictures: Sequence[bytes] = ()) -> tuple[int, int, int]:
    """Return how many faces, templates and pictures a removal of these people and pictures deletes.

    pictures: sha256 of each.
    """
    faces = _faces(store, people, pictures)
    listed = str(faces)
    ((templates,),) = store.database.rows(f"SELECT count(*) FROM template WHERE face IN {MARKS}", (listed,))  # noqa: S608
    query = f"""SELECT count(*) FROM picture WHERE id IN (SELECT picture FROM face WHERE id IN {MARKS})
        AND id NOT IN (SELECT picture FROM face WHERE id NOT IN {MARKS})"""  # noqa: S608
    ((gone,),) = store.database.rows(query, (listed, listed))
    return len(faces), int(templates), int(gone)


def picture(store: GalleryStore, text: str) -> bytes:
    """Return the sha256 of the picture whose sha256, in hexadecimal, begins with a text.

    Raises UsageError for less than 8 digits, and where there is none, or more than one.
    """
    wanted = text.lower()
    if not re.fullmatch("[0-9a-f]{8,64}", wanted):
        message = f"{text} is not 8 to 64 digits of a picture's sha256"
        raise UsageError(message, hint="see `facecli gallery show`")
    query = "SELECT sha256 FROM picture WHERE substr(lower(hex(sha256)), 1, ?) = ?"
    found = store.database.rows(query, (len(wanted), wanted))
    if len(found) != 1:
        message = f"{len(found)} pictures of the gallery have a sha256 that begins with {text}"
        raise UsageError(message, hint="see `facecli gallery show`")
    return bytes(found[0][0])


def remove(store: GalleryStore, people: Sequence[Person], pictures: Sequence[bytes] = ()) -> Receipt:
    """Delete people with their faces, templates, crops, and the pictures that show nobody else; and whole pictures.

    pictures: sha256 of each; the people in them stay, if need be without a face. What was changed before can not be
    undone any more: the journal knows names. A picture that shows somebody else, too, loses its file's name, which may
    hold the removed one; so does any other picture whose file's name has a removed name as a word. Raises UsageError
    for a person who is not there any more, GalleryError if a trace is left, and before anything is removed if another
    program reads the file.
    """
    database, numbers = store.database, str([person.id for person in people])
    database.check_unread()
    copy = postgres.discard(store)  # before anything is removed: it may be out of reach
    with database.transaction():  # what is removed is looked up in it: an enrolment may have been faster
        now_there = [store.current(person) for person in people]
        faces, counts = _faces(store, people, pictures), count(store, people, pictures)
        pieces, of_crops = _pieces(store, faces, TEMPLATES) | set(pictures), _pieces(store, faces, CROPS)
        shown = f"id IN (SELECT picture FROM face WHERE id IN {MARKS})"  # noqa: S608
        sql = f"UPDATE picture SET source = NULL WHERE {shown} OR id IN {MARKS}"  # noqa: S608
        database.change(sql, (str(faces), str(_named(store, now_there))))
        database.change(f"DELETE FROM face WHERE id IN {MARKS}", (str(faces),))  # noqa: S608
        database.change("DELETE FROM picture WHERE id NOT IN (SELECT picture FROM face)")
        database.change(f"DELETE FROM person WHERE id IN {MARKS}", (numbers,))  # noqa: S608
        database.change("DELETE FROM journal")
        database.change("DELETE FROM operating_point")
    copy = postgres.discard(store) or copy  # which a search may have made meanwhile
    cache.discard(store.path)
    database.erase_traces()
    pieces |= {piece for piece in of_crops if not database.rows(SHARED, (piece,))}
    names = {text.encode() for person in (*people, *now_there) for text in (person.name, person.name.casefold())}
    held = b"\0".join(_texts(store)).lower()
    unchecked = {name for name in names if name.lower() in held or database.rows(SPELLED, (name,))}
    sought = pieces | (names - unchecked)
    files = [path for suffix in SUFFIXES if (path := store.path.with_name(store.path.name + suffix)).is_file()]
    files += cache.files(store.path)
    if found := [path for path in files if _holds(path, sought)]:
        message = f"{found[0]} still has traces of what was removed"
        raise GalleryError(message, hint="run `facecli gallery compact`, and report this")
    uids = tuple(person.uid for person in people)
    return Receipt(now(), uids, *counts, len(sought), tuple(map(str, files)), len(unchecked), copy)


def _faces(store: GalleryStore, people: Sequence[Person], pictures: Sequence[bytes]) -> list[int]:
    """Return the ids of people's faces and of all faces in pictures."""
    faces = {face.id for person in people for face in store.faces(person)}
    query = "SELECT face.id FROM face JOIN picture ON picture.id = face.picture WHERE sha256 = ?"
    return sorted(faces | {int(row[0]) for one in pictures for row in store.database.rows(query, (one,))})


def _named(store: GalleryStore, people: Sequence[Person]) -> list[int]:
    """Return the ids of pictures whose file's name has the name of one of these people as a word of its own.

    A face that was rejected or moved may lie in a folder that is named after whom it is not.
    """
    if not people:
        return []
    names = "|".join(re.escape(person.name.casefold()) for person in people)
    word = re.compile(rf"(?<![^\W_])(?:{names})(?![^\W_])")
    rows = store.database.rows("SELECT id, source FROM picture WHERE source IS NOT NULL")
    return [int(number) for number, source in rows if word.search(os.fsdecode(source).casefold())]


def _pieces(store: GalleryStore, faces: Sequence[int], query: str) -> set[bytes]:
    """Return the first, the middle and the last bytes of all templates, or of all crops, of faces."""
    blobs = [bytes(row[0]) for row in store.database.rows(query, (str(faces),))]
    pieces = {
        blob[at : at + PIECE] for blob in blobs for at in (0, len(blob) // 2, len(blob) - PIECE) if len(blob) >= PIECE
    }
    return {piece for piece in pieces if len(set(piece)) > 4}  # zeros are everywhere


def _texts(store: GalleryStore) -> Iterable[bytes]:
    """Yield the texts that a gallery has: names, names of pictures, and facts."""
    for query in (
        "SELECT name FROM person",
        "SELECT source FROM picture WHERE source IS NOT NULL",
        "SELECT identity FROM space",
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL",
        "SELECT key || ' ' || value FROM meta",
        "SELECT uid || ' ' || kind || ' ' || created FROM person",
        "SELECT DISTINCT how FROM face",
    ):
        for (text,) in store.database.rows(query):
            yield text if isinstance(text, bytes) else os.fsencode(text)


def _holds(path: Path, pieces: Iterable[bytes]) -> bool:
    """Return whether a file contains one of the byte strings."""
    if not path.stat().st_size:
        return False
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(piece) >= 0 for piece in pieces)
