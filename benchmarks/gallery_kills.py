"""Kills commands that change a gallery, by `python benchmarks/gallery_kills.py [KILLS]`, and looks at what is left.

`facecli enroll`, `gallery rename`, `migrate`, `compact` and `identify` are started in turns, each over what the one
before has left, and killed with SIGKILL: `enroll` after a few lines that it has told, `identify` while it writes the
cache of its search anew, the others at a random moment between opening the gallery and their end. Then the gallery must
be sound, have all that was told (pictures, a new name, another detector), people under names that they had before or
were given, and a template of each face in one space; and a search by the cache must answer as one without it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from facecli.gallery.index import Index
from facecli.gallery.nearest import nearest
from facecli.gallery.store import cache, care
from facecli.gallery.store.records import NewFace
from facecli.gallery.store.store import GalleryStore

PICTURE = Path(__file__).parents[1] / "examples" / "collins.jpg"
SIZE = 240  # px of a picture's side
PEOPLE, EACH = 4, 3  # pictures are copies of one, each of other bytes
RUN = 40  # kills that one gallery goes through, and grows
PROBES = 8
SHORTEST = 0.05  # s, in which no command that has opened a gallery has done its work
COMMANDS = ("enroll", "rename", "migrate", "compact", "identify")
DETECTORS = ("yunet", "mtcnn")
State = tuple[frozenset[str], str | None, int]
FIRST = frozenset(f"person {number}" for number in range(PEOPLE))


class Moments:
    """The moments at which commands are killed: at random in the time that they take.

    That is doubled until a command has ended before its kill, and is what that one took from then on.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng, self._guessed, self._measured = rng, dict[str, float](), dict[str, float]()

    def kill(self, name: str, process: subprocess.Popen[str], done: Callable[[], bool] = lambda: False) -> bool:
        """Kill a command; return whether it was running.

        done: whether that of which a moment is wanted is over; the command's end without it.
        """
        guess = self._guessed.get(name, SHORTEST)
        began, seconds = time.perf_counter(), self._rng.uniform(0, self._measured.get(name, guess))
        wait_for(lambda: done() or time.perf_counter() > began + seconds, process)
        took, late = time.perf_counter() - began, done() or process.poll() is not None
        process.kill()
        if late:
            self._measured[name] = took
        self._guessed[name] = 2 * guess
        return not late


class Drill:
    """A gallery and what was told of it: pictures, names and the detector; `wish` is what a command was to change."""

    def __init__(self, folder: Path, seed: int, moments: Moments) -> None:
        self.folder, self.gallery, self._moments = folder, folder / "gallery.db", moments
        self.told: set[str] = set()
        self.ended = False  # whether the last command was faster than its kill
        self._rng = random.Random(seed)
        picture = cv2.resize(cv2.imread(str(PICTURE)), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        self._content = cv2.imencode(".jpg", picture)[1].tobytes()
        self._folders = 0
        self._known: State = (FIRST, None, 0)
        process = self._start("enroll", str(self._more()), "--format", "jsonl")
        self._note(process.communicate()[0])
        self._known = self._state()

    def kill(self, name: str, number: int) -> bool:
        """Start a command, kill it, check the gallery; return whether it was running. Raises SystemExit for a fault."""
        names, detector, _ = self._known
        arguments, wish = ["gallery", name], self._known
        if name == "enroll":
            arguments = ["enroll", str(self._more()), "--format", "jsonl"]
        elif name == "rename":
            old, new = self._rng.choice(sorted(names)), f"somebody {number}"
            arguments, wish = [*arguments, old, new], (names - {old} | {new}, detector, 0)
        elif name == "migrate":
            other = DETECTORS[detector == DETECTORS[0]]
            arguments, wish = [*arguments, "--detector", other], (names, other, 0)
        told = self._killed(name, self._start(*arguments))
        found = self._state()
        if found[:2] != wish[:2] and (told or found[:2] != self._known[:2]):
            raise SystemExit(f"after a kill of {name}: {found} instead of {wish}, told {told}")
        self._known = found
        return not self.ended

    def _more(self) -> Path:
        """Return a folder of people with pictures that are not enrolled."""
        self._folders += 1
        folder, names = self.folder / str(self._folders), self._known[0]
        for number in range(PEOPLE * EACH):
            path = folder / sorted(names)[number % PEOPLE] / f"{self._folders}-{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._content + f"{self._folders} {number}".encode())  # after the end of the JPEG
        return folder

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        return started(*arguments, "--gallery", str(self.gallery))

    def _killed(self, name: str, process: subprocess.Popen[str]) -> bool:
        """Kill a command, after some lines or at a random moment; return whether it has told that it is done."""
        assert process.stdout is not None
        if name == "enroll":
            read = [process.stdout.readline() for _ in range(self._rng.randrange(PEOPLE * EACH))]
            time.sleep(self._rng.uniform(0, 0.02))
            self.ended = process.poll() is not None
            process.kill()
        else:
            read = []
            wait_for(self.gallery.with_name("gallery.db-wal").exists, process)
            self.ended = not self._moments.kill(name, process)
        text = "".join(read) + process.communicate()[0]
        self._note(text)
        return name != "enroll" and text.endswith("}\n")

    def _note(self, text: str) -> None:
        """Take note of the pictures that `enroll` has told; the last line may be cut."""
        for line in text.splitlines():
            if line.endswith("}") and '"status": "added"' in line:
                self.told.add(json.loads(line)["source"])

    def _state(self) -> State:
        """Return the names of people, the detector and the number of pictures. Raises SystemExit for damage or loss."""
        store = GalleryStore(self.gallery)
        wrong = [check for check in care.checks(store) if check.found]
        sources = {os.fsdecode(row[0]) for row in store.database.rows("SELECT source FROM picture")}
        names, templates = frozenset(person.name for person in store.people()), store.searched()[0]
        cache.open_index(store, least=1)  # the cache of the search, made anew, is of use after a kill, too
        space = store.space
        store.close()
        lost = sorted(self.told - sources)
        if wrong or lost or templates != len(sources) or space is None:
            raise SystemExit(f"{wrong}, lost {lost}, {templates} templates of {len(sources)} pictures")
        return names, space.detector, len(sources)


class Rebuilding:
    """A gallery large enough for a cache, which is written anew as often as somebody is killed over it."""

    def __init__(self, folder: Path, moments: Moments) -> None:
        self._moments, self.gallery = moments, folder / "gallery.db"
        started("enroll", str(PICTURE), "--name", "somebody", "--gallery", str(self.gallery)).communicate()
        self._store = GalleryStore(self.gallery)
        space, rng = self._store.space, np.random.default_rng(1)
        assert space is not None
        rows = rng.normal(size=(cache.LEAST, space.dim)).astype(np.float32)
        self._probes = rows[:PROBES] + rng.normal(size=(PROBES, space.dim)).astype(np.float32)
        with self._store.database.transaction():
            for number, row in enumerate(rows):
                face = NewFace(rng.bytes(32), f"{number}.jpg", SIZE, SIZE, None, None, None, row)
                self._store.insert(f"person {number // 4}", face, space, "enroll")

    def kill(self) -> bool:
        """Kill a search that writes the cache anew; return whether it was in the middle. Raises SystemExit."""
        with self._store.database.transaction():
            pass  # another state, as after any change
        process = started("identify", str(PICTURE), "--threshold", "0.4", "--gallery", str(self.gallery))
        wait_for(self._unfinished, process)
        self._moments.kill("identify", process, lambda: not self._unfinished())
        process.communicate()
        amid = self._unfinished()
        by_cache, without = cache.open_index(self._store), Index(self._store.templates())
        if nearest(self._probes, by_cache, 3) != nearest(self._probes, without, 3) or self._unfinished():
            raise SystemExit(f"after a kill of identify: wrong answers, or {cache.files(self.gallery)}")
        return amid

    def close(self) -> None:
        """Close the gallery."""
        self._store.close()

    def _unfinished(self) -> bool:
        return len(cache.files(self.gallery)) > self.gallery.with_name("gallery.db.index").exists()


def started(*arguments: str) -> subprocess.Popen[str]:
    """Start facecli."""
    command = [sys.executable, "-m", "facecli", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something has happened, or a process has ended."""
    while not happened() and process.poll() is None:
        time.sleep(0.0005)


def main(kills: int) -> None:
    began, count, late = time.perf_counter(), Counter[str](), Counter[str]()
    told, moments = 0, Moments(random.Random(kills))
    with tempfile.TemporaryDirectory() as large:
        rebuilding = Rebuilding(Path(large), moments)
        while count.total() < kills:
            with tempfile.TemporaryDirectory() as folder:
                drill = Drill(Path(folder), count.total(), moments)
                for number in range(RUN):
                    name = COMMANDS[number % len(COMMANDS)]
                    in_time = rebuilding.kill() if name == "identify" else drill.kill(name, number)
                    (count if in_time else late)[name] += 1
                    if count.total() == kills:
                        break
                told += len(drill.told)
        rebuilding.close()
    seconds = time.perf_counter() - began
    print(f"{kills} kills in {seconds:.0f} s: {', '.join(f'{number} of {name}' for name, number in count.items())}")
    print(f"{late.total()} commands had ended before: {dict(late)}")
    print(f"{told} pictures told, 0 lost, 0 damaged")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
