"""Searches a large gallery of made-up people: time, memory, and whether the answers are those of brute force.

Four templates of each person, directions with a decaying spectrum around the person's own. The gallery is a file, with
its cache; beside it, if faiss is installed, faiss's flat index of 8 bits, which finds templates and not people, and is
not exact. The bars are those for 1,000,000 x 128 on two idle cores.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import Figure, figure, interleaved, parser, tell

from facecli import Faces
from facecli.gallery.index import Index
from facecli.gallery.nearest import nearest
from facecli.gallery.space import Space
from facecli.gallery.store import cache
from facecli.gallery.store.records import NewFace
from facecli.gallery.store.store import GalleryStore
from facecli.system.cores import available_cores

EACH, AT_ONCE, TOP = 4, 64, 10
PICTURE = str(Path(__file__).resolve().parents[1] / "examples" / "hopper.jpg")


def made_up(count: int, dim: int, seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return templates of people (count, dim) float32, EACH of one person after another."""
    rng = np.random.default_rng(seed)
    spectrum = (1 / np.sqrt(1 + np.arange(dim) / 16)).astype(np.float32)
    people = rng.normal(size=(-(-count // EACH), dim)).astype(np.float32)
    rows = np.repeat(people, EACH, axis=0)[:count] + 0.6 * rng.normal(size=(count, dim)).astype(np.float32)
    return (rows * spectrum).astype(np.float32)


def make(path: Path, rows: np.ndarray[Any, np.dtype[np.float32]]) -> bool:
    """Write a gallery of these templates; return whether they have the length of the default recognizer's, as whose."""
    store = GalleryStore(path, create=True)
    space = Faces().gallery(path).space()
    usual = space.dim == rows.shape[1]
    if not usual:
        space = Space({"recognizer": "made-up", "detector": None, "parameters": {}}, rows.shape[1])
    with store.database.transaction():
        for number, row in enumerate(rows):
            sha256 = hashlib.sha256(str(number).encode()).digest()
            face = NewFace(sha256, f"{number}.jpg", 640, 480, None, None, None, row)
            store.insert(f"person {number // EACH}", face, space, "enroll")
    store.close()
    return usual


def child(path: Path, dim: int) -> None:
    """Open a gallery with its cache, search once, and 64 at once; print seconds and the most memory, MB.

    own: memory that is not the mapped cache or another file, which the system takes back when it needs it.
    """
    started = time.perf_counter()
    store = GalleryStore(path)
    index = cache.open_index(store, least=1)
    opened = time.perf_counter()
    probes = made_up(AT_ONCE, dim, 2)
    nearest(probes[:1], index, 2)
    first = time.perf_counter()
    nearest(probes, index, 2)
    status = Path("/proc/self/status").read_text()  # getrusage would tell the memory of the process that started this
    most, own = (int(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) / 1024 for name in ("VmHWM", "RssAnon"))
    print(json.dumps({"open": opened - started, "first": first - started, "memory": most, "own": own}))


def cold(path: Path, rounds: int) -> dict[str, float]:
    """Return seconds of whole commands, a process each: `identify` by a gallery, and `embed` of the same picture."""
    program = [sys.executable, "-m", "facecli"]
    ways = {
        "identify": ["identify", PICTURE, "--gallery", str(path), "--threshold", "0.4"],
        "embed": ["embed", PICTURE],
    }
    actions = {
        name: lambda way=way: subprocess.run([*program, *way, "--json"], check=True, stdout=subprocess.DEVNULL)
        for name, way in ways.items()
    }
    return {name: float(np.median(own)) for name, own in interleaved(actions, rounds).items()}


def agree(index: Index, probes: np.ndarray[Any, np.dtype[np.float32]]) -> bool:
    """Return whether the answers are those of comparing with everybody in float64."""
    distances = index.distances(probes)
    for (people, found), row in zip(nearest(probes, index, TOP), distances, strict=True):
        expected = np.sort(row)[:TOP]
        if not (np.allclose(found, expected, atol=1e-9) and np.allclose(row[people], expected, atol=1e-9)):
            return False
    return True


def searches(index: Index, rows: np.ndarray[Any, np.dtype[np.float32]], rounds: int) -> dict[str, list[float]]:
    """Return seconds of searches, ours and faiss's in turns."""
    probes = made_up(AT_ONCE, rows.shape[1], 3)
    actions = {
        "one probe": lambda: nearest(probes[:1], index, 2),
        f"{AT_ONCE} at once": lambda: nearest(probes, index, 2),
    }
    try:
        import faiss
    except ImportError:
        return interleaved(actions, rounds)
    faiss.omp_set_num_threads(available_cores())
    flat = faiss.IndexScalarQuantizer(rows.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    flat.train(unit[:100_000])
    flat.add(unit)
    actions |= {
        "faiss SQ8, one probe": lambda: flat.search(probes[:1], TOP),
        f"faiss SQ8, {AT_ONCE} at once": lambda: flat.search(probes, TOP),
    }
    return interleaved(actions, rounds)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--child", type=Path, help="search this gallery and tell the memory")
    given = options.parse_args()
    if given.child is not None:
        child(given.child, given.dim)
        return
    rows = made_up(given.rows, given.dim, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gallery.db"
        usual = make(path, rows)
        store = GalleryStore(path)
        started = time.perf_counter()
        index = cache.open_index(store, least=1)
        built = time.perf_counter() - started
        command = [sys.executable, __file__, "--child", str(path), "--dim", str(given.dim)]
        alone = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        whole = cold(path, 5) if usual else {}
        equal = agree(index, made_up(8, given.dim, 4))
        seconds = {name: float(np.median(own)) for name, own in searches(index, rows, given.rounds).items()}
        size = sum(file.stat().st_size for file in cache.files(path)) / 2**20
    told = figures(given.rows, built, alone, equal, size, seconds)
    told += [figure(f"cold {name}, s", own, most=1.2 if name == "identify" else None) for name, own in whole.items()]
    tell(told, as_json=given.json)


def figures(
    count: int, built: float, alone: dict[str, float], equal: bool, size: float, seconds: dict[str, float]
) -> list[Figure]:
    """Return what was measured, with the bars."""
    found = [
        figure(f"{count} templates: answers of brute force", equal, "{:.0f}", least=1),
        figure("making the cache, s", built),
        figure("size of the cache, MB", size, "{:.0f}"),
        figure("opening the cache, s", alone["open"]),
        figure("opening and the first search, s", alone["first"]),
        figure("most memory of a process that searches, MB", alone["memory"], "{:.0f}", most=800),
        figure("of that its own, and no file's, MB", alone["own"], "{:.0f}"),
    ]
    for name, own in seconds.items():
        each = 1000 * own / (AT_ONCE if "at once" in name else 1)
        bar = None if "faiss" in name else 8.0 if "at once" in name else 20.0
        found.append(figure(f"{name}, ms each", each, most=bar))
    return found


if __name__ == "__main__":
    main()
