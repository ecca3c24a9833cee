"""Searches a gallery of made-up people in PostgreSQL with pgvector, with and without an index, beside the exact search.

Give the URL of a database, and its password in PGPASSWORD. The gallery is that of `gallery_search.py`. Half of the
probes are of people who are enrolled, and half are strangers, whose neighbours are the hardest to find.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg
from common import Figure, figure, interleaved, parser, tell
from gallery_search import EACH, TOP, made_up, make

from facecli.gallery.index import Index
from facecli.gallery.nearest import nearest
from facecli.gallery.store import cache, postgres
from facecli.gallery.store.store import GalleryStore
from facecli.types import FloatArray

PROBES = 64  # of each kind
BAR = 0.99


def recall(found: Index, exact: Index, probes: FloatArray) -> float:
    """Return the share of the exact search's first TOP people whom another search finds."""
    pairs = zip(nearest(probes, found, TOP), nearest(probes, exact, TOP), strict=True)
    return float(np.mean([len(set(ours) & set(theirs)) / TOP for (ours, _), (theirs, _) in pairs]))


def equal(found: Index, exact: Index, probes: FloatArray) -> bool:
    """Return whether two searches have the same answers, to the last bit."""
    return nearest(probes, found, TOP) == nearest(probes, exact, TOP)


def each(searches: dict[str, Index], probes: FloatArray, rounds: int) -> list[Figure]:
    """Return the times of searches for one probe after the other, in turns."""
    actions = {
        name: (lambda index=index: [nearest(probe[None], index, 2) for probe in probes[:8]])
        for name, index in searches.items()
    }
    seconds = interleaved(actions, rounds)
    return [figure(f"{name}, ms each", 1000 * float(np.median(own)) / 8) for name, own in seconds.items()]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("url", help="postgresql://USER@HOST/NAME")
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    rows, strangers = made_up(given.rows, given.dim, 1), made_up(PROBES * EACH, given.dim, 3)[::EACH]
    enrolled = rows[:: len(rows) // PROBES][:PROBES] + 0.4 * made_up(PROBES * EACH, given.dim, 5)[::EACH]
    probes = np.concatenate([enrolled, strangers])
    with tempfile.TemporaryDirectory() as folder, closing(psycopg.connect(given.url, autocommit=True)) as database:
        make(Path(folder) / "gallery.db", rows)
        store = GalleryStore(Path(folder) / "gallery.db")
        exact = cache.open_index(store, least=1)
        started = time.perf_counter()
        copied = postgres.open_index(store, given.url)
        found = [figure(f"copying {given.rows} templates, s", time.perf_counter() - started)]
        found.append(figure("no index: the exact search's answers", equal(copied, exact, probes), "{:.0f}", least=1))
        found += each({"exact search": exact, "no index": copied}, probes, given.rounds)
        started = time.perf_counter()
        for scan in copied.scans:
            database.execute(f"CREATE INDEX ON {scan.table} USING hnsw (embedding vector_ip_ops)")
        found.append(figure("making HNSW, s", time.perf_counter() - started))
        for name, some in (("people enrolled", enrolled), ("strangers", strangers)):
            found.append(figure(f"HNSW: recall@{TOP}, {name}", recall(copied, exact, some), "{:.4f}", least=BAR))
        found += each({"HNSW": copied}, probes, given.rounds)
        postgres.discard(store)
        store.close()
    tell(found, as_json=given.json)


if __name__ == "__main__":
    main()
