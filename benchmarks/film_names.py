"""Names on film: people of `lfw_dev` walk through generated films, and a gallery knows some by other photographs.

Each film has nine people, of whom five are in the gallery. A track's person is the one whose true boxes it covers most
often; its name is that of the person whom its track was joined with, as in the table of `facecli track`. The bars are
those of tracks that last for a second: the right name, or none for a stranger, for 95 %, a wrong one for 1 % at most.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import common
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import films

from facecli import Faces
from facecli.api.films import FilmTools, FilmWish
from facecli.evaluation.tracking import boxes
from facecli.film.address import address_of
from facecli.film.live import open_film
from facecli.geometry import overlap
from facecli.tracking.events import FrameSeen, StreamEnded, TrackEnded, TrackJoined

PEOPLE, KNOWN = 9, 5
LEAST = 1.0  # s that a track lasts
LEVELS = {"plausible": (films.PLAUSIBLE, (640, 360), 120), "hard": (films.HARD, (1280, 720), 150)}


@dataclass
class Seen:
    """What was told of a film. boxes: of each track, by frame. lasting, names: of each track. embedded: faces."""

    boxes: dict[int, dict[int, np.ndarray]] = field(default_factory=lambda: defaultdict(dict))
    lasting: dict[int, float] = field(default_factory=dict)
    names: dict[int, str | None] = field(default_factory=dict)
    into: dict[int, int] = field(default_factory=dict)
    embedded: int = 0

    def name(self, track: int) -> str | None:
        """The name of a track's person, from whichever of the person's tracks has one."""
        group = self.into.get(track, track)
        told = (self.names[one] for one in sorted(self.names) if self.into.get(one, one) == group)
        return next((name for name in told if name), None)


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 21], help="of the generated films")
    asked = options.parse_args()
    figures: list[common.Figure] = []
    with zipfile.ZipFile(common.SHARED / "data" / "lfw_dev.zip") as archive, tempfile.TemporaryDirectory() as folder:
        for level in LEVELS:
            figures += named(level, archive, asked.seeds, Path(folder))
    common.tell(figures, as_json=asked.json)


def named(level: str, archive: zipfile.ZipFile, seeds: list[int], folder: Path) -> Iterator[common.Figure]:
    """Yield how many of the tracks have the right name, and a wrong one, over all films of a level."""
    verdicts: Counter[str] = Counter()
    without = with_gallery = seen_boxes = 0
    for seed in seeds:
        people = _people(archive, seed)
        film, truth = folder / f"{level}.mp4", folder / "truth.txt"
        style, size, count = LEVELS[level]
        portraits = films.portraits_of([photos[0] for photos in people])
        if len(portraits) < len(people):
            sys.exit(f"seed {seed}: a photograph without a face")
        films.Film(portraits, seed=seed, level=style, size=size, count=count).write(film, truth)
        faces = Faces(threads=1)
        with faces.gallery(folder / f"{level}-{seed}.db") as gallery:
            for number, photos in enumerate(people[:KNOWN], start=1):
                gallery.enroll(photos[1:], str(number), face="largest")
            seen = _followed(FilmTools(faces.engine, FilmWish(), gallery), film)
        alone = _followed(FilmTools(faces.engine, FilmWish()), film)
        verdicts.update(_verdicts(seen, boxes.read(truth)))
        without, with_gallery = without + alone.embedded, with_gallery + seen.embedded
        seen_boxes += sum(map(len, seen.boxes.values()))
    total = sum(verdicts.values())
    what = f"{level}, {len(seeds)} films, {total} tracks of a second: "
    yield common.figure(f"{what}right, %", 100 * verdicts["right"] / total, "{:.1f}", least=95)
    yield common.figure(f"{what}wrong, %", 100 * verdicts["wrong"] / total, "{:.1f}", most=1)
    yield common.figure(
        f"{level}: faces embedded with the gallery, %", 100 * with_gallery / seen_boxes, "{:.1f}", most=15
    )
    yield common.figure(f"{level}: ... and without one, %", 100 * without / seen_boxes, "{:.1f}", most=15)


def _people(archive: zipfile.ZipFile, seed: int) -> list[list[np.ndarray]]:
    """Return the photographs of some people, RGB: those of known people first, who have three or more."""
    by_person: dict[str, list[str]] = defaultdict(list)
    for name in sorted(name for name in archive.namelist() if name.endswith(".jpg")):
        by_person[name.rpartition("_")[0]].append(name)
    rng = np.random.default_rng(seed)
    several = [names for names in by_person.values() if len(names) >= 3]
    single = [names for names in by_person.values() if len(names) == 1]
    chosen = [several[row][:4] for row in rng.choice(len(several), KNOWN, replace=False)]
    chosen += [single[row] for row in rng.choice(len(single), PEOPLE - KNOWN, replace=False)]
    return [[_read(archive, name) for name in names] for names in chosen]


def _read(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(np.asarray(pixels)[:, :, ::-1])


def _followed(tools: FilmTools, film: Path) -> Seen:
    seen = Seen()
    for event in tools.follow(open_film(address_of(str(film)))):
        if isinstance(event, FrameSeen):
            for face in event.faces:
                seen.boxes[face.track][event.frame + 1] = face.bbox
        elif isinstance(event, TrackEnded):
            seen.lasting[event.track] = event.time - event.first_time
            seen.names[event.track] = None if event.answer is None else event.answer.person
        elif isinstance(event, TrackJoined):
            seen.into[event.track] = event.into
        elif isinstance(event, StreamEnded):
            seen.embedded = event.embedded
    return seen


def _verdicts(seen: Seen, truth: boxes.Boxes) -> Iterator[str]:
    """Yield for each track of a second: right, wrong, or nameless, of a person who is known."""
    for track, places in seen.boxes.items():
        if seen.lasting[track] < LEAST:
            continue
        votes: Counter[int] = Counter()
        for frame, box in places.items():
            rows = np.flatnonzero(truth.frames == frame)
            alike = overlap(box[None], truth.bboxes[rows])[0]
            if len(rows) and alike.max() >= 0.5:
                votes[int(truth.ids[rows[alike.argmax()]])] += 1
        person = votes.most_common(1)[0][0] if votes else None
        expected = str(person) if person is not None and person <= KNOWN else None
        name = seen.name(track)
        yield "right" if name == expected else "nameless" if name is None else "wrong"


if __name__ == "__main__":
    main()
