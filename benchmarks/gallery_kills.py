"""Kills commands that change a gallery, by `python benchmarks/gallery_kills.py [KILLS]`, and looks at what is left.

`facecli enroll`, `gallery rename`, `migrate` and `compact` are started in turns, each over what the one before has
left, and killed with SIGKILL: `enroll` after a few lines that it has told, the others after a random part of the time
that a command takes. Then the gallery must be sound, have all that was told (pictures, a new name, another detector),
people under names that they had before or were given, and a template of each face in one space.
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
from pathlib import Path

import cv2

from facecli.gallery.store import cache, care
from facecli.gallery.store.store import GalleryStore

PICTURE = Path(__file__).parents[1] / "examples" / "collins.jpg"
SIZE = 240  # px of a picture's side
PEOPLE, EACH = 4, 3  # pictures are copies of one, each of other bytes
RUN = 40  # kills that one gallery goes through, and grows
COMMANDS = ("enroll", "rename", "migrate", "compact")
DETECTORS = ("yunet", "mtcnn")
State = tuple[frozenset[str], str | None, int]
FIRST = frozenset(f"person {number}" for number in range(PEOPLE))


class Drill:
    """A gallery and what was told of it: pictures, names and the detector; `wish` is what a command was to change."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.gallery = folder, folder / "gallery.db"
        self.told: set[str] = set()
        self.ended = 0  # commands that were faster than their kill
        self._rng = random.Random(seed)
        picture = cv2.resize(cv2.imread(str(PICTURE)), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        self._content = cv2.imencode(".jpg", picture)[1].tobytes()
        self._folders = 0
        self._known: State = (FIRST, None, 0)
        started = time.perf_counter()
        process = self._start("enroll", str(self._more()), "--format", "jsonl")
        self._note(process.communicate()[0])
        self._seconds = time.perf_counter() - started
        self._known = self._state()

    def kill(self, number: int) -> str:
        """Start a command, kill it, check the gallery; return its name. Raises SystemExit for what must not be."""
        name = COMMANDS[number % len(COMMANDS)]
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
        told = self._killed(self._start(*arguments), self._rng.randrange(PEOPLE * EACH) if name == "enroll" else None)
        found = self._state()
        if found[:2] != wish[:2] and (told or found[:2] != self._known[:2]):
            raise SystemExit(f"after a kill of {name}: {found} instead of {wish}, told {told}")
        self._known = found
        return name

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
        command = [sys.executable, "-m", "facecli", *arguments, "--gallery", str(self.gallery)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def _killed(self, process: subprocess.Popen[str], lines: int | None) -> bool:
        """Kill a command, after so many lines or a random time; return whether it has told that it is done."""
        assert process.stdout is not None
        read = [process.stdout.readline() for _ in range(lines or 0)]
        time.sleep(self._rng.uniform(0, 0.02) if lines is not None else self._rng.uniform(0.2, 1.0) * self._seconds)
        self.ended += process.poll() is not None
        process.kill()
        text = "".join(read) + process.communicate()[0]
        self._note(text)
        return lines is None and text.endswith("}\n")

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


def main(kills: int) -> None:
    started, count = time.perf_counter(), Counter[str]()
    told = ended = 0
    while (done := count.total()) < kills:
        with tempfile.TemporaryDirectory() as folder:
            drill = Drill(Path(folder), done)
            count.update(drill.kill(number) for number in range(done, min(done + RUN, kills)))
            told, ended = told + len(drill.told), ended + drill.ended
    listed = ", ".join(f"{number} of {name}" for name, number in count.items())
    print(f"{kills} kills in {time.perf_counter() - started:.0f} s: {listed}; {ended} had ended before")
    print(f"{told} pictures told, 0 lost, 0 damaged")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
