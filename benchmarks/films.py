"""Films: identities on generated films, the cost of `track` and `anonymize`, memory of a long film.

The films are those of tests/films.py, with people of `lfw_dev`; `faces.mp4` of the shared folder has 105 frames of
1920 x 1080. Time is the process's processor time, the models on one thread, but for the frames a second.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import common
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import films

from facecli import Faces
from facecli.anonymise.choice import Chosen
from facecli.anonymise.veil import Veil
from facecli.api.anonymising import Anonymizer, AnonymousWish
from facecli.api.films import FilmTools, FilmWish
from facecli.evaluation.tracking import boxes
from facecli.evaluation.tracking.clear import clear
from facecli.evaluation.tracking.identity import identity
from facecli.film.address import address_of
from facecli.film.live import open_film
from facecli.film.reading import Film
from facecli.film.writing import FilmWriter
from facecli.output.mot_file import Mot
from facecli.system.cores import available_cores
from facecli.tracking.events import FrameSeen, StreamEnded

PEOPLE = 9
PARTS = ("identities", "cost", "anonymize", "memory")
FILMS = {
    "easy": (films.EASY, (640, 360), 120, 98.0),
    "plausible": (films.PLAUSIBLE, (640, 360), 120, 95.0),
    "hard": (films.HARD, (1280, 720), 150, 88.0),
    "dim": (films.DIM, (1280, 720), 150, None),
}
LOOP = 100  # frames of the long film that are drawn; it repeats them


def main() -> None:
    """Measure what was asked for."""
    options = common.parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[11, 12], help="of the generated films")
    options.add_argument("--rounds", type=int, default=5, help="of the film whose cost is measured")
    options.add_argument("--minutes", type=float, default=10, help="of the long film")
    options.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    asked = options.parse_args()
    portraits = _portraits()
    figures: list[common.Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in FILMS if "identities" in asked.parts else ():
            figures += _identities(name, portraits, asked.seeds, Path(folder))
        if "cost" in asked.parts:
            figures += _cost(common.SHARED / "data" / "faces.mp4", asked.rounds)
        if "anonymize" in asked.parts:
            figures += _anonymized(common.SHARED / "data" / "faces.mp4", asked.rounds, Path(folder))
        if "memory" in asked.parts:
            figures.append(_memory(portraits[:2], asked.minutes, Path(folder)))
    common.tell(figures, as_json=asked.json)


def _portraits() -> list[films.Portrait]:
    """Return a portrait of each of some people of lfw_dev."""
    with zipfile.ZipFile(common.SHARED / "data" / "lfw_dev.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        first = list({name.rpartition("/")[2].rpartition("_")[0]: name for name in reversed(names)}.values())[::37][:40]
        pictures = [cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR) for name in first]
    return films.portraits_of([picture[:, :, ::-1].copy() for picture in pictures])


def _identities(name: str, portraits: list[films.Portrait], seeds: list[int], folder: Path) -> Iterator[common.Figure]:
    """Yield how well the people of generated films keep their ids, and what share of the boxes was embedded."""
    level, size, count, bar = FILMS[name]
    tools = FilmTools(Faces(threads=1).engine, FilmWish())
    for seed in seeds:
        own = [portraits[row] for row in np.random.default_rng(seed).permutation(len(portraits))[:PEOPLE]]
        film, truth = folder / f"{name}.mp4", folder / "truth.txt"
        films.Film(own, seed=seed, level=level, size=size, count=count).write(film, truth)
        mot, end = Mot(), None
        for event in tools.follow(open_film(address_of(str(film)))):
            mot.take(event)
            end = event if isinstance(event, StreamEnded) else end
        mot.write(folder / "tracks.txt")
        compared = boxes.compare(boxes.read(truth), boxes.read(folder / "tracks.txt"), 0.5)
        what = f"{name}, seed {seed}"
        yield common.figure(f"{what}: IDF1, %", 100 * (identity(compared, 0.5).idf1 or 0), "{:.1f}", least=bar)
        yield common.figure(f"{what}: MOTA, %", 100 * (clear(compared, 0.5).mota or 0), "{:.1f}")
        assert end is not None
        yield common.figure(f"{what}: ids of {PEOPLE} people", end.people, "{:.0f}")
        yield common.figure(
            f"{what}: faces embedded, % of the boxes", 100 * end.embedded / end.boxes, "{:.1f}", most=15
        )


def _cost(path: Path, rounds: int) -> Iterator[common.Figure]:
    """Yield the processor time of a frame: read and detected alone, and tracked; and frames tracked a second."""
    tools = FilmTools(Faces(threads=1).engine, FilmWish())
    cores = available_cores()
    together = FilmTools(Faces(threads=1, jobs=cores).engine, FilmWish())
    alone, tracked, seconds = [], [], []
    for _ in range(rounds + 1):
        began = time.process_time()
        film = Film(address_of(str(path)))
        finding = tools.finding()
        frames = sum(1 for frame in film.frames() if finding.find(frame.image))
        film.close()
        alone.append((time.process_time() - began) / frames)
        began = time.process_time()
        frames = sum(isinstance(event, FrameSeen) for event in tools.follow(open_film(address_of(str(path)))))
        tracked.append((time.process_time() - began) / frames)
        began = time.perf_counter()
        frames = sum(isinstance(event, FrameSeen) for event in together.follow(open_film(address_of(str(path)))))
        seconds.append((time.perf_counter() - began) / frames)
    # The first round has loaded the models.
    once, whole = float(np.median(alone[1:])), float(np.median(tracked[1:]))
    yield common.figure("1080p: read and detect, ms a frame", 1000 * once, "{:.1f}")
    yield common.figure("1080p: track, ms a frame", 1000 * whole, "{:.1f}")
    yield common.figure("1080p: track / (read and detect)", whole / once, "{:.2f}", most=1.3)
    what = f"1080p: track on {cores} cores, frames a second"
    yield common.figure(what, 1 / float(np.median(seconds[1:])), "{:.1f}", least=40)


def _anonymized(path: Path, rounds: int, folder: Path) -> Iterator[common.Figure]:
    """Yield the processor time of a frame: read, detected and written alone, and anonymised, which reads it twice."""
    faces = Faces(threads=1)
    finding = FilmTools(faces.engine, FilmWish(join=False)).finding()
    anonymizer = Anonymizer(faces.engine, AnonymousWish(Veil(), Chosen()))
    alone, whole = [], []
    for _ in range(rounds + 1):
        began = time.process_time()
        film = Film(address_of(str(path)))
        size = film.facts.width, film.facts.height
        writer = FilmWriter(folder / "copy.mp4", "mp4", size, film.facts.rate, None)
        writer.show_as(film.facts.display)
        count = 0
        for frame in film.frames():
            finding.find(frame.image)
            writer.write(frame.image.pixels, frame.time)
            count += 1
        writer.finish()
        film.close()
        alone.append((time.process_time() - began) / count)
        began = time.process_time()
        done = anonymizer.film(address_of(str(path)), folder / "anonymous.mp4")
        whole.append((time.process_time() - began) / (done.length or 1))
    once, twice = float(np.median(alone[1:])), float(np.median(whole[1:]))
    yield common.figure("1080p: read, detect and write, ms a frame", 1000 * once, "{:.1f}")
    yield common.figure("1080p: anonymize, ms a frame", 1000 * twice, "{:.1f}")
    yield common.figure("1080p: anonymize / (read, detect and write)", twice / once, "{:.2f}", most=1.15)


def _memory(portraits: list[films.Portrait], minutes: float, folder: Path) -> common.Figure:
    """Return by how much memory grows from the first quarter of a long film to its end."""
    loop = [pixels for pixels, _ in films.Film(portraits, level=films.EASY, size=(320, 180), count=LOOP).frames()]
    count = round(minutes * 60 * 25)
    writer = FilmWriter(folder / "long.mp4", "mp4", (320, 180), 25, "mpeg4")
    for number in range(count):
        place = number % (2 * LOOP)
        writer.write(loop[place if place < LOOP else 2 * LOOP - 1 - place], number / 25)  # there and back
    writer.finish()
    small = {"yunet": {"size": 320, "least_size": 320}}  # the film's own size: the rest takes long
    tools = FilmTools(Faces(threads=1, jobs=2, parameters=small).engine, FilmWish())
    events = tools.follow(open_film(address_of(str(folder / "long.mp4"))))
    resident = [_resident() for event in events if isinstance(event, FrameSeen) and event.frame % 25 == 0]
    quarter = len(resident) // 4
    grown = np.median(resident[-quarter:]) / np.median(resident[quarter : 2 * quarter]) - 1
    return common.figure(f"{minutes:g} minutes: memory at the end beside the second quarter, %", 100 * grown, most=5)


def _resident() -> int:
    """Return the memory that this process holds, in bytes."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
