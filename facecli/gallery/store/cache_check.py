"""The comparison of the cache of a gallery's search with what would be made of the gallery now."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from facecli.gallery.index import Index, checksums
from facecli.gallery.store import cache
from facecli.gallery.store.name_table import NameTable
from facecli.gallery.store.records import Templates
from facecli.gallery.store.store import GalleryStore


def fault(store: GalleryStore) -> str | None:
    """Return how the cache of a gallery as it is now differs from it, in words; None where it does not.

    One of another state or version is no fault: it is made anew before it is used. Raises GalleryError.
    """
    key, name = cache.identity(store, cache.FORM), store.path.name + cache.SUFFIX
    try:
        with store.path.with_name(name).open("rb") as stream:
            header = json.loads(stream.read(cache.HEADER))
    except (OSError, ValueError):
        return None
    if not isinstance(header, dict) or any(header.get(field) != value for field, value in key.items()):
        return None
    found = cache.read(store.path, key)
    if found is not None and (_is_of(found[0], store) or store.state != key["state"]):
        return None
    return f"{name} {'is damaged' if found is None else 'differs from the gallery'}: delete it, and it is made anew"


def _is_of(arrays: cache.Arrays, store: GalleryStore) -> bool:
    """Return whether the arrays of a cache are what would be made of the gallery now."""
    done = 0
    for people, faces, embeddings in store.template_batches(cache.BATCH):
        end = done + len(people)
        own: dict[str, Any] = {"people": people, "faces": faces, "rows": embeddings, "sums": checksums(embeddings)}
        if not all(np.array_equal(arrays[name][done:end], values) for name, values in own.items()):
            return False
        done = end
    known, ignored = store.names()
    everybody = arrays["everybody"].tolist()
    named = NameTable(arrays["everybody"], arrays["name_ends"], arrays["names"])
    if done != len(arrays["rows"]) or any(named[person] != known.get(person) for person in everybody):
        return False
    index = Index(Templates(arrays["rows"], arrays["faces"], arrays["people"], {}, 0))
    expected: cache.Arrays = {"everybody": index.people, "ignored": np.isin(index.people, list(ignored))}
    for start, own_codes in (("", index.prepared.templates), ("middle_", index.prepared.centroids)):
        expected |= {f"{start}codes": own_codes.values, f"{start}offsets": own_codes.offsets}
        expected[f"{start}scales"] = own_codes.scales
    return all(np.array_equal(arrays[name], values) for name, values in expected.items())
