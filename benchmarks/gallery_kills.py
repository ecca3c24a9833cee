"""Kills processes that change a gallery, by `python benchmarks/gallery_kills.py [KILLS]`, and looks at what is left.

A child enrolls, renames, merges, undoes and migrates made-up people, and tells each change through a pipe after it was
made. The parent kills it with SIGKILL at a random moment, opens the gallery, and checks that all that was told is
stored and that the file is sound; then another child goes on with the same gallery.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from facecli.gallery.space import Space
from facecli.gallery.store import care, changes, spaces
from facecli.gallery.store.journal import undo
from facecli.gallery.store.records import NewFace
from facecli.gallery.store.store import GalleryStore

DIM, LONGEST = 128, 1.0  # seconds that a child lives at most
SPACES = [Space({"recognizer": name, "detector": "yunet", "parameters": {}}, DIM) for name in ("one", "other")]


def main(kills: int) -> None:
    rng, started = random.Random(0), time.perf_counter()
    told: set[int] = set()
    unknown = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gallery.db"
        for number in range(kills):
            told |= set(killed(path, number * 1_000_000, rng.uniform(0.005, LONGEST)))
            store = GalleryStore(path, create=True)
            stored = {int.from_bytes(row[0][:8], "big") for row in store.database.rows("SELECT sha256 FROM picture")}
            wrong = [check for check in care.checks(store) if check.found]
            if wrong or not told <= stored:
                print(f"kill {number}: {wrong}, lost {sorted(told - stored)}")
                raise SystemExit(1)
            unknown = len(stored - told)
            store.close()
    seconds = time.perf_counter() - started
    print(f"{kills} kills in {seconds:.0f} s: {len(told)} told, 0 lost, {unknown} stored and not told, 0 damaged")


def killed(path: Path, first: int, seconds: float) -> list[int]:
    """Return what a child has told before it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        work(path, first, writing)
    os.close(writing)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as stream:
        text = stream.read()
    return [int(line) for line in text.split(b"\n")[:-1]]


def work(path: Path, number: int, writing: int) -> None:
    """Change a gallery until the end, which comes from outside."""
    rng = np.random.default_rng(number)
    store = GalleryStore(path, create=True)
    while True:
        number += 1
        space = store.space or SPACES[0]
        row = rng.normal(size=DIM).astype(np.float32)
        face = NewFace(number.to_bytes(8, "big") + bytes(24), f"{number}.jpg", 64, 64, None, None, None, row)
        store.add(f"person {number % 50}", face, space)
        os.write(writing, b"%d\n" % number)
        people = store.people()
        if number % 3 == 0:
            changes.rename(store, people[number % len(people)], f"person {50 + number}")
        if number % 5 == 0 and len(people) > 2:
            changes.merge(store, people[0], people[1])
            undo(store.database)
        if number % 7 == 0:
            target = SPACES[space == SPACES[0]]
            begun = spaces.begin(store, target)
            for picture in spaces.pending(store, begun):
                spaces.add(store, begun, picture.faces, rng.normal(size=(len(picture.faces), DIM)).astype(np.float32))
            spaces.switch(store, begun)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
