"""Films beside other projects, in one run: deface's command and its veils, uniface's ByteTrack and its veil.

Of uniface no detector is at hand, whose weights are downloaded: its tracker and its veil get the boxes of ours. Both
commands write a film of 1920 x 1080, in seconds of the processor. Leaks are counted in the films that the commands
write, with black boxes: a face of which half can be seen leaks while less than 80 % of its box is black. Faces that are
covered are those of benchmarks/anonymize.py.
"""

from __future__ import annotations

import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import common
import cv2
import numpy as np
from anonymize import COVERED, DATA, SEEN, Cover, Witnesses, drawn, hidden, large, processor_seconds, veil_of
from deface.deface import anonymize_frame
from uniface.privacy import BlurFace
from uniface.tracking import BYTETracker

from facecli import Faces
from facecli.api.films import FilmTools, FilmWish
from facecli.evaluation.tracking import boxes
from facecli.evaluation.tracking.clear import clear
from facecli.evaluation.tracking.identity import identity
from facecli.film.address import address_of
from facecli.film.reading import Film
from facecli.film.writing import FilmWriter
from facecli.output.mot_file import Mot
from facecli.types import Detections, FloatArray, UInt8Array

DEFACE = "from deface.deface import main; main()"
PARTS = ("speed", "leaks", "tracks", "veils")
BLACK, DARK = 40, 70  # of 255: what is covered, and what may have been dark before


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--frames", type=int, default=50, help="of the film whose cost is measured")
    options.add_argument("--seeds", type=int, nargs="+", default=[201, 202], help="of the generated films")
    options.add_argument("--large", type=int, nargs="*", default=[120, 240, 480], help="px of the faces to cover")
    options.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    chosen = options.parse_args()
    cv2.setNumThreads(1)
    figures: list[common.Figure] = []
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(DATA) as archive:
        if "speed" in chosen.parts:
            figures += speed(common.SHARED / "data" / "faces.mp4", chosen.frames, Path(folder))
        for level in ("PLAUSIBLE", "HARD") if {"leaks", "tracks"} & {*chosen.parts} else ():
            for seed in chosen.seeds:
                film, truth = drawn(archive, level, seed, Path(folder))
                what = f"{level.lower()}, seed {seed}"
                figures += leaks(what, film, truth, Path(folder)) if "leaks" in chosen.parts else ()
                figures += tracked(what, film, truth, Path(folder)) if "tracks" in chosen.parts else ()
    figures += veiled(chosen.large) if "veils" in chosen.parts else ()
    common.tell(figures, as_json=chosen.json)


def veiled(sizes: Sequence[int]) -> Iterator[common.Figure]:
    """The rates of faces that are verified under each project's veil."""
    faces = Faces(threads=1)
    witnesses = Witnesses(faces)
    veils: dict[str, Cover | None] = {"facecli": veil_of("pixelate", 6), "uniface pixelate": uniface_pixelate}
    veils |= {f"deface {name}": deface_veil(name) for name in ("blur", "mosaic")}
    for size in sizes:
        pairs = large(faces, size)
        for name, veil in veils.items():
            yield from hidden(witnesses, pairs, size, name, veil, 0.01 if name == "facecli" else None)


def commands(film: Path, folder: Path, *options: str, deface: Sequence[str] = ()) -> dict[str, tuple[list[str], Path]]:
    """The command lines of both, and what they write."""
    ours, theirs = folder / "ours.mp4", folder / "theirs.mp4"
    return {
        "facecli": ([sys.executable, "-m", "facecli", "anonymize", str(film), "-o", str(ours), *options], ours),
        "deface": ([sys.executable, "-c", DEFACE, str(film), "-o", str(theirs), *deface], theirs),
    }


def speed(source: Path, count: int, folder: Path) -> Iterator[common.Figure]:
    """The processor time of both commands for a frame of a large film."""
    film = Film(address_of(str(source)))
    part = FilmWriter(folder / "part.mp4", "mp4", (film.facts.width, film.facts.height), film.facts.rate, None)
    for number, frame in zip(range(count), film.frames(), strict=False):
        part.write(frame.image.pixels, number / (film.facts.rate or 25))
    part.finish()
    film.close()
    spent = {name: processor_seconds(line)[0] for name, (line, _) in commands(folder / "part.mp4", folder).items()}
    what = f"anonymize, {film.facts.width} x {film.facts.height}, {count} frames"
    for name, seconds in spent.items():
        yield common.figure(f"{what}: {name}, CPU ms per frame", 1000 * seconds / count, "{:.0f}")
    yield common.figure(f"{what}: deface / facecli", spent["deface"] / spent["facecli"], "{:.1f}", least=3)


def leaks(what: str, film: Path, truth: Path, folder: Path) -> Iterator[common.Figure]:
    """The faces that each command leaves uncovered."""
    black = ("--method", "mask")
    for name, (line, written) in commands(film, folder, *black, deface=("--replacewith", "solid")).items():
        processor_seconds(line)
        found = [one for one in covered(film, written, truth) if one is not None]
        rate = found.count(False) / len(found)
        yield common.figure(f"{what}: {name}, uncovered of {len(found)} faces", rate, "{:.2%}")


def covered(before: Path, after: Path, truth: Path) -> Iterator[bool | None]:
    """Whether each face of a truth is black in a copy; None for one that nobody can see."""
    lines: dict[int, list[list[float]]] = {}
    for line in truth.read_text().splitlines():
        row = [float(part) for part in line.split(",")]
        lines.setdefault(int(row[0]) - 1, []).append(row)
    opened = [Film(address_of(str(path))) for path in (before, after)]
    for number, pair in enumerate(zip(*(film.frames() for film in opened), strict=True)):
        light, dark = (frame.image.pixels.max(2) for frame in pair)
        if dark.shape != light.shape:  # deface's sides are multiples of 16
            dark = cv2.resize(dark, light.shape[::-1], interpolation=cv2.INTER_AREA)
        for _, _, left, top, width, height, _, _, seen, _ in lines.get(number, []):
            rows = slice(max(int(top), 0), max(int(top + height), 0))
            columns = slice(max(int(left), 0), max(int(left + width), 0))
            counts = light[rows, columns] > DARK
            black = dark[rows, columns][counts] < BLACK
            yield None if seen < SEEN or not black.size else bool(black.mean() >= COVERED)
    for film in opened:
        film.close()


def tracked(what: str, path: Path, truth: Path, folder: Path) -> Iterator[common.Figure]:
    """How well people keep their ids, by our command and by uniface's tracker on the same boxes."""
    tools = FilmTools(Faces(threads=1).engine, FilmWish())
    mot, film = Mot(), Film(address_of(str(path)))
    for event in tools.follow(film):
        mot.take(event)
    film.close()
    mot.write(folder / "ours.txt")
    film = Film(address_of(str(path)))
    finding = tools.finding()
    found = [finding.find(frame.image)[0] for frame in film.frames()]
    film.close()
    tracker, ours = BYTETracker(), tools.tracking.make_tracker()
    began = time.process_time()
    lines = [line for number, faces in enumerate(found) for line in _lines(number, tracker.update(_rows(faces)))]
    theirs = time.process_time() - began
    began = time.process_time()
    for faces in found:
        ours.update(faces, 0.04, None)
    own = time.process_time() - began
    (folder / "theirs.txt").write_text("".join(lines))
    for name, file in (("facecli", "ours.txt"), ("uniface ByteTrack", "theirs.txt")):
        compared = boxes.compare(boxes.read(truth), boxes.read(folder / file), 0.5)
        yield common.figure(f"{what}: {name}, IDF1, %", 100 * (identity(compared, 0.5).idf1 or 0), "{:.1f}")
        yield common.figure(f"{what}: {name}, MOTA, %", 100 * (clear(compared, 0.5).mota or 0), "{:.1f}")
    yield common.figure(f"{what}: the tracker alone, uniface / facecli, CPU", theirs / own, "{:.1f}")


def _rows(faces: Detections) -> FloatArray:
    return np.concatenate([faces.bboxes, faces.scores[:, None]], axis=1)


def _lines(number: int, tracks: np.ndarray[Any, Any]) -> Iterator[str]:
    for x1, y1, x2, y2, track in tracks.tolist():
        yield f"{number + 1},{int(track)},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},1,-1,-1,-1\n"


def uniface_pixelate(pixels: UInt8Array, bboxes: Iterable[FloatArray]) -> None:
    """Cover faces as uniface does unless told otherwise."""
    BlurFace().blur_regions(pixels, list(bboxes), inplace=True)


def deface_veil(method: str) -> Cover:
    """What covers faces as deface does unless told otherwise."""

    def lay(pixels: UInt8Array, bboxes: Iterable[FloatArray]) -> None:
        rows = np.array([[*box, 1.0] for box in bboxes])
        anonymize_frame(rows, pixels, 1.3, method, True, False, None, 20)  # its own order of arguments

    return lay


if __name__ == "__main__":
    main()
