"""The file beside a large gallery with the graphs of its search by faiss: NAME.index-graph.

It belongs to one state of the gallery, as the cache does, and goes away with it. A graph takes long to make: some 8
minutes of a core for a million templates.

A header of HEADER bytes, JSON; then the graph of the templates, and that of the centroids.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from facecli.gallery import graph
from facecli.gallery.graph import GraphScan
from facecli.gallery.index import Index, Score, unit
from facecli.gallery.store import cache
from facecli.gallery.store.store import GalleryStore

FORM = "facecli gallery graphs, version 1"
SUFFIX = f"{cache.SUFFIX}-graph"
HEADER = 1024
Pair = tuple[GraphScan, GraphScan]


def open_index(
    store: GalleryStore, score: Score = "blend", people: Sequence[str] = (), *, least: int = cache.LEAST
) -> Index:
    """Return the index of a gallery as `cache.open_index` does, which is searched by graphs.

    Fewer templates than `least`, and those of some people alone, are searched exactly. What can not be written is made
    for this search. Raises what `cache.open_index` does, and UsageError if faiss is not installed.
    """
    graph.require()
    key = cache.identity(store, FORM)
    index = cache.open_index(store, score, people, least=least)
    if people or len(index.rows) < max(least, 1) or store.state != key["state"]:
        return index
    dim = index.rows.shape[1]
    key |= {"templates": len(index.rows), "people": len(index.people), "dim": dim}
    found = _read(store, key)
    if found is None:
        found = (
            graph.built(len(index.rows), dim, lambda first, last: unit(index.rows[first:last])),
            graph.built(len(index.people), dim, index.centroids),
        )
        with suppress(OSError):  # a full disk, a folder that is read-only
            _write(store, key, found)
    return index.scanned(found)


def _write(store: GalleryStore, key: Mapping[str, Any], graphs: Pair) -> None:
    parts = [graph.packed(one) for one in graphs]
    check = zlib.crc32(parts[1], zlib.crc32(parts[0]))
    header = json.dumps({**key, "first": len(parts[0]), "check": check}).encode().ljust(HEADER)

    def fill(descriptor: int) -> bool:
        with os.fdopen(os.dup(descriptor), "wb") as stream:
            stream.writelines([header, *parts])
        return True

    cache.place_file(store, SUFFIX, key["state"], fill)


def _read(store: GalleryStore, key: Mapping[str, Any]) -> Pair | None:
    """Return the graphs of a file; None without one that can be used."""
    try:
        with store.path.with_name(store.path.name + SUFFIX).open("rb") as stream:
            header = json.loads(stream.read(HEADER))
            if {name: header[name] for name in key} != key:
                return None
            content = memoryview(stream.read())
        if header["check"] != zlib.crc32(content):
            return None
        first, dim = int(header["first"]), key["dim"]
        return (
            graph.unpacked(content[:first], key["templates"], dim),
            graph.unpacked(content[first:], key["people"], dim),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
