"""How well anonymised faces are hidden: who is still verified, by recognizer and size, and what leaks in films.

Faces: mated pairs of LFW's dev set. One picture is enlarged or reduced until its face is so many px wide, and covered;
recognizers compare it with the other one, as it is, at their own operating points. Crops are cut by the landmarks from
before: the attacker knows where the face was. "itself" compares with the same picture before, as `--check` does.
Pictures of LFW have faces of some 100 px, and an enlarged one has no more detail than it had. Faces that are as large
as that come from WIDER FACE's pictures, which are only reduced: each is compared with itself.

Films: generated ones of nine people (tests/films.py), whom the defaults were not chosen with. A leak is a face of which
half can be seen while less than 80 % of its box is covered; `--sizes= --large=` measures films alone. `--speed FILM`
measures `facecli anonymize` on a film, in seconds of the processor.
"""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import common
import cv2
import numpy as np
from numpy.typing import NDArray

from facecli import Faces
from facecli.anonymise.choice import Chosen
from facecli.anonymise.coverage import covers
from facecli.anonymise.veil import Veil
from facecli.api.anonymising import Anonymizer, AnonymousWish
from facecli.film.address import address_of
from facecli.film.reading import Film
from facecli.matching.metrics import distance
from facecli.matching.rules import DecisionRequest, rules_for
from facecli.pipeline.flow import Flow
from facecli.pipeline.results import ImageResult
from facecli.pipeline.stages import Stages
from facecli.types import FloatArray, Image, UInt8Array

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import films

DATA = common.SHARED / "data" / "lfw_dev.zip"
LARGE = common.SHARED / "data" / "wider_dev.zip"
VEILS = ("pixelate", "pixelate, ellipse", "blur", "mask")
Cover = Callable[[UInt8Array, Iterable[FloatArray]], None]  # covers the faces at boxes (4,) xyxy px, in place
SEEN, COVERED = 0.5, 0.8  # parts of a face that count as seen, and as covered


@dataclass(frozen=True)
class Pair:
    """Two pictures of one person, each with the place of the face; the second one is covered."""

    first: ImageResult
    second: ImageResult


class Witnesses:
    """All installed recognizers, each at its own operating point."""

    def __init__(self, faces: Faces) -> None:
        wish = AnonymousWish(Veil(), Chosen(), prove=True)
        tools = Anonymizer(faces.engine, wish).witnesses
        assert tools is not None
        self.names = [plugin.name for plugin in tools.recognizer_plugins]
        self._stages, self._rules = Stages(tools, Flow()), rules_for(tools, DecisionRequest())

    def embeddings(self, results: Iterable[ImageResult]) -> list[FloatArray]:
        """The rows (N, D) of each recognizer."""
        described = [self._stages.describe([one])[0] for one in results]
        every = [(one.embeddings, *one.further_embeddings) for one in described]
        return [np.concatenate([rows[number] for rows in every]) for number in range(len(self.names))]

    def verified(self, a: Sequence[FloatArray], b: Sequence[FloatArray]) -> dict[str, float]:
        """The rate of rows that each recognizer takes for one person."""
        found = zip(self.names, self._rules, a, b, strict=True)
        return {name: float((distance(x, y, rule.metric) <= rule.threshold).mean()) for name, rule, x, y in found}


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--pairs", type=int, default=100)
    options.add_argument("--sizes", type=_numbers, default=[60, 120, 240, 500])
    options.add_argument("--large", type=_numbers, default=[240, 480], help="px of faces that are only reduced")
    options.add_argument("--seeds", type=_numbers, default=[201, 202, 203])
    options.add_argument("--cells", type=int, default=Veil().cells)
    options.add_argument("--methods", default=";".join(VEILS))
    options.add_argument("--speed", type=Path, help="a film to measure the command on, instead of the rest")
    chosen = options.parse_args()
    cv2.setNumThreads(1)
    if chosen.speed is not None:
        common.tell(speed(chosen.speed), as_json=chosen.json)
        return
    figures = []
    with zipfile.ZipFile(DATA) as archive:
        faces = Faces(threads=1)
        witnesses = Witnesses(faces)
        rows = [row for row in csv.DictReader(io.TextIOWrapper(archive.open("pairs.csv"))) if row["same"] == "1"]
        order = np.random.default_rng(1).permutation(len(rows))[: chosen.pairs]
        for size in chosen.sizes:
            found = (_pair(archive, faces, rows[number], size) for number in order)
            pairs = [pair for pair in found if pair is not None]
            for name in ("nothing", *filter(None, chosen.methods.split(";"))):
                figures += hidden(witnesses, pairs, size, name, veil_of(name, chosen.cells))
        for size in chosen.large:
            pairs = large(faces, size)
            for name in filter(None, chosen.methods.split(";")):
                figures += hidden(witnesses, pairs, size, f"WIDER, {name}", veil_of(name, chosen.cells))
        for level in ("PLAUSIBLE", "HARD"):
            figures += leaks(archive, level, chosen.seeds)
    common.tell(figures, as_json=chosen.json)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def veil_of(name: str, cells: int) -> Cover | None:
    """What covers faces by a name of VEILS, None for nothing."""
    method, _, shape = name.partition(", ")
    return None if method == "nothing" else Veil(method, cells, shape=shape or "box").lay


def large(faces: Faces, size: int) -> list[Pair]:
    """Faces of at least `size` px in WIDER FACE's pictures, reduced to that: each a pair of itself."""
    found = []
    with zipfile.ZipFile(LARGE) as archive:
        for name in sorted(name for name in archive.namelist() if name.endswith(".jpg")):
            pixels = _read(archive, name)
            seen = faces.detect(pixels, face="largest").faces
            if seen and (width := float(seen[0].bbox[2] - seen[0].bbox[0])) >= size:
                small = cv2.resize(pixels, None, fx=size / width, fy=size / width, interpolation=cv2.INTER_AREA)
                if (result := _result(faces, np.asarray(small, np.uint8), "largest")) is not None:
                    found.append(Pair(result, result))
    return found


def hidden(
    witnesses: Witnesses, pairs: list[Pair], size: int, name: str, veil: Cover | None, most: float | None = 0.01
) -> list[common.Figure]:
    """The rates of covered faces that are verified. most: the bar."""
    first, before = (witnesses.embeddings(one) for one in zip(*((p.first, p.second) for p in pairs), strict=True))
    after = before if veil is None else witnesses.embeddings(_covered(pair.second, veil) for pair in pairs)
    figures = []
    for against, own in (("the other picture", first), ("itself", before)):
        if (against == "itself") if veil is None else (against != "itself" and pairs[0].first is pairs[0].second):
            continue
        for recognizer, rate in witnesses.verified(own, after).items():
            what = f"{name}, {size} px, {len(pairs)} faces, {recognizer}, {against}"
            figures.append(common.figure(what, rate, "{:.1%}", most=None if veil is None else most))
    return figures


def leaks(archive: zipfile.ZipFile, level: str, seeds: Sequence[int]) -> list[common.Figure]:
    """The rate of faces in generated films that are not covered, and the part of the frames that is."""
    anonymizer = Anonymizer(Faces(threads=1).engine, AnonymousWish(Veil(), Chosen()))
    faces = leaking = frames = 0
    area = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            path, truth = drawn(archive, level, seed, Path(folder))
            film = Film(address_of(str(path)))
            analysis = anonymizer.analysis(film)
            film.close()
            masks = [_mask(boxes, film.facts.width, film.facts.height) for boxes in covers(analysis, analysis.tracks)]
            found = [_is_covered(line, masks) for line in truth.read_text().splitlines()]
            faces += sum(one is not None for one in found)
            leaking += sum(one is False for one in found)
            frames += len(masks)
            area += sum(float(mask.mean()) for mask in masks)
    bar = {"PLAUSIBLE": 0.005, "HARD": 0.013}[level]
    what = f"{level.lower()} films, {len(seeds)} of 9 people"
    return [
        common.figure(f"{what}: uncovered of {faces} faces", leaking / faces, "{:.2%}", most=bar),
        common.figure(f"{what}: covered part of the frames", area / frames, "{:.0%}"),
    ]


def drawn(archive: zipfile.ZipFile, level: str, seed: int, folder: Path) -> tuple[Path, Path]:
    """A film of nine people, and its truth."""
    path, truth = folder / f"{level}-{seed}.mp4", folder / f"{level}-{seed}.txt"
    names = [name for name in archive.namelist() if name.endswith("_0001.jpg")]
    people = [names[number] for number in np.random.default_rng(seed).choice(len(names), 9, replace=False)]
    portraits = films.portraits_of([_read(archive, name) for name in people])
    films.Film(portraits, seed=seed, level=getattr(films, level)).write(path, truth)
    return path, truth


def speed(film: Path) -> list[common.Figure]:
    """Seconds of the processor that the command takes for a film, and for each of its frames."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "facecli", "anonymize", str(film), "-o", f"{folder}/out.mp4", "--json"]
        seconds, printed = processor_seconds(line)
    frames = json.loads(printed)["files"][0]["frames"]
    what = f"anonymize {film.name}, {frames} frames: CPU "
    return [
        common.figure(f"{what}seconds", seconds, "{:.1f}"),
        common.figure(f"{what}ms per frame", 1000 * seconds / frames, "{:.0f}"),
    ]


def processor_seconds(line: Sequence[str]) -> tuple[float, bytes]:
    """The seconds of the processor that a command takes, and what it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(line, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def _pair(archive: zipfile.ZipFile, faces: Faces, row: dict[str, str], size: int) -> Pair | None:
    first, second = _read(archive, row["file_a"]), _read(archive, row["file_b"])
    found = faces.detect(second, face="center").faces
    if not found:
        return None
    scale = size / float(found[0].bbox[2] - found[0].bbox[0])
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    second = np.asarray(cv2.resize(second, None, fx=scale, fy=scale, interpolation=way), np.uint8)
    results = [_result(faces, pixels) for pixels in (first, second)]
    return None if results[0] is None or results[1] is None else Pair(results[0], results[1])


def _result(faces: Faces, pixels: UInt8Array, face: str = "center") -> ImageResult | None:
    detections = faces.detect(pixels, face=face).result.detections
    if detections is None or not len(detections):
        return None
    return ImageResult("a picture", indices=(0,), detections=detections, image=Image(pixels, "a picture"))


def _covered(result: ImageResult, veil: Cover) -> ImageResult:
    assert result.image is not None
    assert result.detections is not None
    pixels = result.image.pixels.copy()
    veil(pixels, result.detections.bboxes)
    return ImageResult("a copy", indices=(0,), detections=result.detections, image=Image(pixels, "a copy"))


def _read(archive: zipfile.ZipFile, name: str) -> UInt8Array:
    pixels = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR_RGB)
    return np.asarray(pixels, np.uint8)


def _mask(boxes: Iterable[FloatArray], width: int, height: int) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), bool)
    for place in filter(None, map(partial(Veil().place, width=width, height=height), boxes)):
        left, top, right, bottom = place
        mask[top:bottom, left:right] = True
    return mask


def _is_covered(line: str, masks: Sequence[NDArray[np.bool_]]) -> bool | None:
    """Whether a face of the truth is covered; None for one that nobody can see."""
    frame, _, left, top, width, height, _, _, seen, _ = (float(part) for part in line.split(","))
    mask = masks[int(frame) - 1]
    rows = slice(max(int(top), 0), max(int(top + height), 0))
    columns = slice(max(int(left), 0), max(int(left + width), 0))
    part = mask[rows, columns]
    return None if seen < SEEN or not part.size else bool(part.mean() >= COVERED)


if __name__ == "__main__":
    main()
