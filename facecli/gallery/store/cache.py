"""The file beside a large gallery that its searches are made from: NAME.index, which can be deleted at any time.

It holds the templates, their codes and people's names in one state of the gallery, and is mapped into memory instead of
being read. A file of another state or version, or with damage, is not used, and made anew.

A header of HEADER bytes, JSON; then the arrays, each at a multiple of ALIGNMENT bytes, numbers little-endian.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecli.gallery.index import Index, Prepared, Score, checksums
from facecli.gallery.quantized import Codes
from facecli.gallery.store.name_table import NameTable
from facecli.gallery.store.place import OWNER_ONLY
from facecli.gallery.store.records import Templates
from facecli.gallery.store.store import GalleryStore

FORM = "facecli gallery cache, version 4"
SUFFIX = ".index"
LEAST = 20_000  # templates: fewer are read and encoded in less time than models take to load
HEADER, ALIGNMENT, BATCH = 1024, 64, 16_384  # bytes, bytes, templates
PIECE = 512  # numbers of 64 bits that a check adds up: 4 KB
Arrays = dict[str, NDArray[Any]]


def open_index(store: GalleryStore, score: Score = "blend", people: Sequence[str] = (), *, least: int = LEAST) -> Index:
    """Return the index of a gallery, or of these people alone.

    All templates are mapped from the cache, which is made if need be, or are read from the gallery. least: templates
    from which on there is a cache. What can not be written is no error: then they are read. Raises GalleryError for a
    damaged template of the gallery, UsageError for a name that nobody has and for another score.
    """
    if people or store.face_count(most=max(least, 1)) < max(least, 1):
        return Index(store.templates(people), score)
    key = identity(store, FORM)
    found = read(store.path, key)
    if found is None:
        with suppress(OSError):  # a full disk, a folder that is read-only
            _write(store, key)
        found = read(store.path, key)
    if found is None or store.state != key["state"]:
        return Index(store.templates(), score)
    arrays, (error, middle_error) = found
    names = NameTable(arrays["everybody"], arrays["name_ends"], arrays["names"])
    ignored = frozenset(arrays["everybody"][arrays["ignored"] > 0].tolist())
    templates = Templates(arrays["rows"], arrays["faces"], arrays["people"], names, key["revision"], ignored)
    codes = Codes(arrays["codes"], arrays["offsets"], arrays["scales"], error)
    middles = Codes(arrays["middle_codes"], arrays["middle_offsets"], arrays["middle_scales"], middle_error)
    return Index(templates, score, Prepared(codes, middles, arrays["sums"]))


def identity(store: GalleryStore, form: str) -> dict[str, Any]:
    """Return what the header of a file says of the gallery that it was made from, as it is now. form: of the file."""
    return {"form": form, "uuid": store.meta("uuid"), "revision": store.revision, "state": store.state}


def discard(gallery: Path) -> None:
    """Delete a gallery's cache and what a process that was killed has left of one."""
    for path in files(gallery):
        path.unlink(missing_ok=True)


def files(gallery: Path) -> list[Path]:
    """Return the files of a gallery's cache, whole or unfinished."""
    start = f"{gallery.name}{SUFFIX}"
    return [path for path in gallery.parent.iterdir() if path.name == start or path.name.startswith(f"{start}-")]


def _layout(header: Mapping[str, Any]) -> tuple[dict[str, tuple[int, np.dtype[Any], tuple[int, ...]]], int]:
    """Return the place (byte, type, shape) of each array, `rows` at the end, and the bytes of the whole file."""
    count, people, dim, letters = (int(header[name]) for name in ("templates", "people", "dim", "letters"))
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {
        "people": ("<i8", (count,)),
        "faces": ("<i8", (count,)),
        "everybody": ("<i8", (people,)),
        "name_ends": ("<i8", (people,)),
        "ignored": ("<u1", (people,)),
        "names": ("<u1", (letters,)),
        "sums": ("<u4", (count,)),
        "offsets": ("<i4", (count,)),
        "scales": ("<f4", (count,)),
        "middle_offsets": ("<i4", (people,)),
        "middle_scales": ("<f4", (people,)),
        "codes": ("<i1", (count * dim,)),
        "middle_codes": ("<i1", (people * dim,)),
        "rows": ("<f4", (count, dim)),
    }
    places, at = {}, HEADER
    for name, (kind, shape) in shapes.items():
        places[name] = at, np.dtype(kind), shape
        at += -(-math.prod(shape) * np.dtype(kind).itemsize // ALIGNMENT) * ALIGNMENT
    return places, at


def _arrays(content: mmap.mmap, header: Mapping[str, Any]) -> Arrays:
    places, _ = _layout(header)
    return {
        name: np.frombuffer(content, kind, math.prod(shape), at).reshape(shape)
        for name, (at, kind, shape) in places.items()
    }


def _check(content: mmap.mmap, header: Mapping[str, Any]) -> int:
    """Return a checksum of all arrays but the rows, which have checksums of their own.

    That is the CRC-32 of the sums of PIECE numbers each: any change of one number changes it, and so does a piece that
    is missing or elsewhere. The CRC-32 of all bytes takes four times as long, which every search would wait for.
    """
    end, _, _ = _layout(header)[0]["rows"]
    words = np.frombuffer(content, "<u8", (end - HEADER) // 8, HEADER)
    whole = len(words) // PIECE * PIECE
    sums = words[:whole].reshape(-1, PIECE).sum(axis=1, dtype="<u8")
    return zlib.crc32(words[whole:].tobytes(), zlib.crc32(sums.tobytes()))


def read(gallery: Path, key: Mapping[str, Any]) -> tuple[Arrays, tuple[float, float]] | None:
    """Return the arrays of a cache, mapped, and the errors of its codes; None without one that can be used."""
    try:
        with gallery.with_name(gallery.name + SUFFIX).open("rb") as stream:
            header = json.loads(stream.read(HEADER))
            if {name: header[name] for name in key} != key or os.fstat(stream.fileno()).st_size != _layout(header)[1]:
                return None
            content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        if header["check"] != _check(content, header):
            return None
        first, second = header["errors"]
        return _arrays(content, header), (float(first), float(second))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(store: GalleryStore, key: Mapping[str, Any]) -> None:
    """Write the cache of a gallery's state; nothing, if the gallery changes meanwhile. Raises OSError, GalleryError."""
    discard(store.path)

    def fill(descriptor: int) -> bool:
        count, people, letters = store.searched()
        header = {**key, "templates": count, "people": people, "letters": letters}
        header["dim"] = 1 if store.space is None else store.space.dim
        size = _layout(header)[1]
        os.ftruncate(descriptor, size)
        if hasattr(os, "posix_fallocate"):  # a full disk is an error here; while the mapping is written it is a signal
            os.posix_fallocate(descriptor, 0, size)
        with mmap.mmap(descriptor, 0) as content:
            filled = _fill(content, store, header)
            content.flush()
        return filled

    place_file(store, SUFFIX, key["state"], fill)


def place_file(store: GalleryStore, suffix: str, state: str, fill: Callable[[int], bool]) -> None:
    """Make a file that is named as the gallery with a suffix, unless the gallery changes from its `state` meanwhile.

    fill: writes into a file by its descriptor before it has its name, and returns whether it shall have it. The file is
    there before the templates are read: so a removal of people, which deletes it, either finds it, or comes first and
    its people are not read. Raises OSError.
    """
    target = store.path.with_name(store.path.name + suffix)
    temporary = store.path.with_name(f"{store.path.name}{SUFFIX}-{os.urandom(8).hex()}")
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        try:
            if not fill(descriptor):
                return
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with store.database.transaction(revises=False):  # nobody removes anybody between the question and the answer
            if store.state == state:
                temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _fill(content: mmap.mmap, store: GalleryStore, header: Mapping[str, Any]) -> bool:
    """Write the arrays, then the header; return whether the gallery had as many templates as the header says."""
    arrays, done = _arrays(content, header), 0
    try:
        for people, faces, embeddings in store.template_batches(BATCH):
            end = done + len(people)
            if end > header["templates"]:
                return False
            arrays["people"][done:end], arrays["faces"][done:end] = people, faces
            arrays["rows"][done:end], arrays["sums"][done:end] = embeddings, checksums(embeddings)
            done = end
        index = Index(Templates(arrays["rows"], arrays["faces"], arrays["people"], {}, 0))
        if done != header["templates"] or not _fill_names(arrays, index.people, store):
            return False
        codes, middles = index.prepared.templates, index.prepared.centroids
        for start, own in (("", codes), ("middle_", middles)):
            arrays[f"{start}codes"][:], arrays[f"{start}offsets"][:] = own.values, own.offsets
            arrays[f"{start}scales"][:] = own.scales
        del index
    finally:
        arrays.clear()  # a mapping can not be closed while arrays look at it
    text = json.dumps({**header, "errors": (codes.error, middles.error), "check": _check(content, header)})
    content[:HEADER] = text.encode().ljust(HEADER)
    return True


def _fill_names(arrays: Arrays, people: NDArray[np.int64], store: GalleryStore) -> bool:
    """Write whom the templates are of; return whether there is as much room for that as the header says."""
    known, ignored = store.names()
    spelled = [known.get(person, "").encode() for person in people.tolist()]
    letters = np.frombuffer(b"".join(spelled), np.uint8)
    if len(people) != len(arrays["everybody"]) or len(letters) != len(arrays["names"]):
        return False
    arrays["everybody"][:], arrays["names"][:] = people, letters
    arrays["name_ends"][:] = np.cumsum([len(one) for one in spelled], dtype=np.int64)
    arrays["ignored"][:] = np.isin(people, list(ignored))
    return True
