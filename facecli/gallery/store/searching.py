"""The ways of searching a large gallery: exactly, by graphs of neighbours, or in a database."""

from __future__ import annotations

from collections.abc import Sequence

from facecli.errors import UsageError
from facecli.gallery.index import Index, Score
from facecli.gallery.store import cache, graph_file, postgres
from facecli.gallery.store.store import GalleryStore

WAYS = ("exact", "faiss")
DATABASE = ("postgresql://", "postgres://")  # beginnings of URLs


def open_index(store: GalleryStore, way: str, score: Score = "blend", people: Sequence[str] = ()) -> Index:
    """Return the index of a gallery, or of these people alone. way: one of WAYS, or the URL of a database.

    Raises UsageError for another way, and what the modules of the ways raise.
    """
    if way.startswith(DATABASE):
        return postgres.open_index(store, way, score, people)
    if way not in WAYS:
        hint = f"use {', '.join(WAYS)} or postgresql://USER@HOST/NAME"
        raise UsageError(f"there is no {{search}} {way!r:.40}", hint=hint, about="search")
    if way == "faiss":
        return graph_file.open_index(store, score, people)
    return cache.open_index(store, score, people)
