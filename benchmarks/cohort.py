"""Cohort normalisation beside plain cosine distances: who is missed, and who is taken for whom, at one FMR.

The cohort is faces of FairFace's training split, or means of groups of them (centroids.py). Non-mated comparisons are
those within FairFace's 14 groups of adults (validation split), and LFW's; mated ones LFW's. A threshold is the largest
at which the FMR on LFW and the mean over the groups keep to a rate (group_rates.py). The candidates are compared on one
half of FairFace's faces and LFW's people; the best there, of the fewest missed at 0.1 % and then in a search, is judged
on the other half, and with --more on UTKFace, on LFW's pictures in a third of the size, and on blurred ones (a Gaussian
of 1 % of the picture's width), at the thresholds of good pictures. Search: a picture each of LFW's people with several
is known, their others and people with one only are looked for.

With --file a cohort that is made is measured, instead of choosing one, and the catalogue's point printed.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import common
import cv2
import group_faces
import group_rates
import numpy as np
from centroids import FACES, centroids
from group_rates import ADULTS, AGES, RECOGNIZERS, Data
from numpy.typing import NDArray

from facecli.hosting.choice import DETECTOR
from facecli.hosting.toolbox import Toolbox
from facecli.matching.cohort import of_rows
from facecli.matching.metrics import pairwise
from facecli.types import FloatArray

RATES = (1e-2, 1e-3)
LOOKS = ("small", "blurred")
Distances = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A way to compare. rows: the cohort, None for plain distances. top: as in matching.cohort.

    deviation: also divide by the deviation of the highest similarities, as speaker recognition does.
    """

    name: str
    rows: FloatArray | None = None
    top: int = 0
    deviation: bool = False

    def distances(self, embeddings: FloatArray) -> Distances:
        """The distances (N, N) of all rows of (N, dim) embeddings."""
        if self.rows is None:
            return pairwise(embeddings, embeddings, "cosine")
        if not self.deviation:
            templates = of_rows(self.rows, self.top).templates(embeddings)
            return pairwise(templates, templates, "cohort")
        alike, (mean, spread) = 1 - pairwise(embeddings, embeddings, "cosine"), self._statistics(embeddings)
        sides = (alike - mean[:, None]) / spread[:, None], (alike - mean) / spread
        return np.asarray(-sum(sides) / 2)

    def _statistics(self, embeddings: FloatArray) -> tuple[Distances, Distances]:
        unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
        assert self.rows is not None
        highest = np.partition(unit.astype(np.float64) @ self.rows.T, -self.top, axis=1)[:, -self.top :]
        return highest.mean(axis=1), highest.std(axis=1)


PLAIN = Candidate("plain cosine")


@dataclass(frozen=True)
class Faces:
    """Embeddings (N, dim), with the person of each face, or its group of people and its age group."""

    rows: FloatArray
    people: NDArray[np.str_]
    ages: NDArray[np.str_]

    def half(self, which: int) -> Faces:
        """The faces of every other person, by chance but the same each time."""
        names = np.unique(self.people)
        own = self.people if len(names) > 20 else np.arange(len(self.people)).astype(str)  # of groups: each face
        chosen = np.random.default_rng(0).permutation(np.unique(own))[which::2]
        return self._where(np.isin(own, chosen))

    def _where(self, chosen: NDArray[np.bool_]) -> Faces:
        return Faces(self.rows[chosen], self.people[chosen], self.ages[chosen])

    def groups(self, ages: Sequence[str]) -> dict[str, FloatArray]:
        """The rows of each group of people, of some ages."""
        own = np.isin(self.ages, ages)
        return {str(name): self.rows[own & (self.people == name)] for name in np.unique(self.people[own])}


def main() -> None:
    options = common.parser(__doc__)
    data = common.SHARED / "data"
    options.add_argument("--recognizer", action="append", help=f"default: {', '.join(RECOGNIZERS)}")
    options.add_argument("--detector", default=DETECTOR)
    options.add_argument("--faces", type=int, default=FACES, help="of FairFace's training split")
    options.add_argument("--data", type=Path, default=data, help="folder with fairface.zip, lfw_dev.zip, utk_dev.zip")
    options.add_argument("--more", action="store_true", help="also UTKFace, and small and blurred pictures")
    options.add_argument("--cache", type=Path, help="folder that keeps embeddings for the next run")
    options.add_argument("--file", type=Path, metavar="FILE.npy", help="of one recognizer, see centroids.py")
    options.add_argument("--top", type=int, default=25, help="of --file")
    given = options.parse_args()
    tools = group_faces.toolbox(given.detector, given.recognizer or list(RECOGNIZERS))
    celebrities = group_faces.embedded(tools, given.data / "lfw_dev.zip", "**/*.jpg", given.cache)
    others = _labelled(tools, given.data / "fairface.zip", given.cache)
    utk = _labelled(tools, given.data / "utk_dev.zip", given.cache) if given.more else {}
    looks = {look: _look(tools, given.data / "lfw_dev.zip", look, given.cache) for look in LOOKS * given.more}
    known = {}
    if given.file is None:
        known = group_faces.embedded(tools, given.data / "fairface.zip", "train/*", given.cache, count=given.faces)
    figures: list[common.Figure] = []
    for name in celebrities:
        lfw, fairface = _lfw(celebrities[name]), others[name]
        if given.file is None:
            candidates = list(_candidates(np.stack(list(known[name].values()))))
        else:
            candidates = [Candidate(given.file.name, np.load(given.file).astype(np.float32), given.top)]
        halves = {one: measure(one, lfw.half(0), fairface.half(0)) for one in (PLAIN, *candidates)}
        best = min(candidates, key=lambda one: (halves[one].fnmr(halves[one].at(RATES[1])), search(one, lfw.half(0))))
        lines = [f"## {name}, {given.detector}: chosen is {best.name}", "", *_head()]
        lines += [_line(f"{one.name}, first half", own, own) for one, own in halves.items()]
        for one in (PLAIN, best):
            whole = measure(one, lfw, fairface)
            judged = {"all": whole, "second half": measure(one, lfw.half(1), fairface.half(1))}
            if given.more:
                judged["UTKFace"] = measure(one, lfw, utk[name])
            judged |= {f"LFW {look}": measure(one, own[name], fairface) for look, own in looks.items()}
            lines += [_line(f"{one.name}, {what}", own, whole) for what, own in judged.items()]
            figures += _figures(f"{name}: {one.name}", whole)
            figures.append(common.figure(f"{name}: {one.name}: FNIR at FPIR 1 % on LFW", search(one, lfw), "{:.2%}"))
        if given.file is not None:
            lines += ["", *_point(measure(best, lfw, fairface))]
        if not given.json:
            print("\n".join(lines), end="\n\n")
    common.tell(figures, as_json=given.json)


def _candidates(known: FloatArray) -> Iterator[Candidate]:
    unit = (known / np.linalg.norm(known, axis=1, keepdims=True)).astype(np.float32)
    for deviation in (False, True):
        more = ", by deviation" * deviation
        yield from (Candidate(f"{len(unit)} faces, top {top}{more}", unit, top, deviation) for top in (100, 200))
        for halvings in (8, 9):
            rows = centroids(unit, halvings).astype(np.float16).astype(np.float32)
            tops = (12, 25, 50)
            yield from (Candidate(f"{len(rows)} means, top {top}{more}", rows, top, deviation) for top in tops)


def measure(candidate: Candidate, lfw: Faces, others: Faces) -> Data:
    """The distances of a way to compare: LFW's pairs, and those within groups of other people."""
    first, second = np.triu_indices(len(lfw.rows), 1)
    person = np.unique(lfw.people, return_inverse=True)[1]
    distances, same = candidate.distances(lfw.rows)[first, second], person[first] == person[second]
    by_age = {age: _within(candidate, others.groups(bins)) for age, bins in AGES.items()}
    return Data(np.sort(distances[same]), np.sort(distances[~same]), by_age.pop(""), by_age)


def _within(candidate: Candidate, groups: Mapping[str, FloatArray]) -> dict[str, Distances]:
    return {
        name: np.sort(candidate.distances(rows)[np.triu_indices(len(rows), 1)])
        for name, rows in groups.items()
        if len(rows) > 1
    }


def search(candidate: Candidate, lfw: Faces, fpir: float = 0.01) -> float:
    """The share of known people who are not found (FNIR) where a share `fpir` of strangers is found."""
    distances, count = candidate.distances(lfw.rows), Counter(lfw.people.tolist())
    known = np.array([count[name] > 1 for name in lfw.people.tolist()])
    enrolled = np.zeros(len(known), bool)
    enrolled[np.unique(lfw.people, return_index=True)[1]] = True
    gallery, probes, strangers = known & enrolled, known & ~enrolled, ~known
    nearest = np.sort(distances[strangers][:, gallery].min(axis=1))
    threshold = nearest[max(0, int(fpir * len(nearest)) - 1)]
    found = distances[probes][:, gallery]
    right = lfw.people[gallery][found.argmin(axis=1)] == lfw.people[probes]
    return float(1 - (right & (found.min(axis=1) <= threshold)).mean())


def _head() -> list[str]:
    columns = "threshold | missed on LFW | mean of groups | worst group | worst / best |"
    at = "".join(f" {rate:g}: {columns}" for rate in RATES)
    return [f"| |{at}", "|---|" + "---|" * 5 * len(RATES)]


def _line(name: str, data: Data, good: Data) -> str:
    """A line of the table. good: the data that the thresholds are taken from."""
    told = [f"| {name} |"]
    for rate in RATES:
        threshold = good.at(rate)
        spread = data.spread(threshold)
        ratio = "-" if spread.worst_over_best is None else f"{spread.worst_over_best:.1f}"
        worst = f"{spread.highest:.2%} {spread.worst}"
        told.append(f" {threshold:.3f} | {data.fnmr(threshold):.2%} | {spread.mean:.2%} | {worst} | {ratio} |")
    return "".join(told)


def _point(data: Data) -> Iterator[str]:
    """Yield the lines of the catalogue's point, as TOML."""
    threshold, points = data.at(RATES[1]), [(rate, data.at(rate)) for rate in group_rates.RATES]
    spread, fmr = data.spread(threshold), data.fmr(threshold)
    worst = (f"[{rate:g}, {data.spread(value).highest:.2g}]" for rate, value in points)
    yield f'[cohort_point]\nmetric = "cohort"\nthreshold = {threshold:g}'
    yield f"fmr = {fmr:.2g}\nfnmr = {data.fnmr(threshold):.2g}"
    yield f'worst_group = "{spread.worst}"\nfmr_worst_group = {spread.highest:.2g}'
    yield f"by_fmr = [{', '.join(f'[{rate:g}, {value:g}]' for rate, value in points)}]"
    yield f"worst_by_fmr = [{', '.join(worst)}]"


def _figures(name: str, data: Data) -> Iterator[common.Figure]:
    for rate in RATES:
        threshold = data.at(rate)
        spread, celebrities = data.spread(threshold), float((data.celebrities <= threshold).mean())
        children = [float((own <= threshold).mean()) for own in data.younger["children 0 to 9"].values()]
        told = {
            "missed on LFW": (data.fnmr(threshold), "{:.2%}"),
            "worst group": (spread.highest, "{:.2%}"),
            "worst / best": (spread.worst_over_best or np.inf, "{:.1f}"),
            "children 0 to 9": (float(np.mean(children)), "{:.2%}"),
            "FMR on LFW": (celebrities, "{:.3%}"),
            "LFW accuracy": (1 - (data.fnmr(threshold) + celebrities) / 2, "{:.2%}"),
        }
        for what, figure in told.items():
            yield common.figure(f"{name} at {rate:.1%}: {what}", *figure)


def _lfw(rows: Mapping[str, FloatArray]) -> Faces:
    people = np.array([Path(name).stem.rpartition("_")[0] for name in rows])
    return Faces(np.stack(list(rows.values())), people, np.full(len(rows), ADULTS[0]))


def _labelled(tools: Toolbox, data: Path, cache: Path | None) -> dict[str, Faces]:
    """Faces of different people by each recognizer: FairFace's validation split, or UTKFace, whose ages are numbers."""
    if data.stem == "fairface":
        found, labels = group_faces.embedded(tools, data, "val/*", cache), group_faces.labels(data)
    else:
        found = group_faces.embedded(tools, data, "**/*.jpg", cache)
        with common.folder(data) as root, next(root.rglob("labels.csv")).open() as file:
            labels = {row["file"]: row for row in csv.DictReader(file)}
    return {recognizer: _grouped(embeddings, labels) for recognizer, embeddings in found.items()}


def _grouped(embeddings: Mapping[str, FloatArray], labels: Mapping[str, Mapping[str, str]]) -> Faces:
    names = [name for name in embeddings if name in labels]
    groups = [f"{labels[name]['race'].replace('_', ' or ')}, {labels[name]['gender']}" for name in names]
    ages = [_bin(labels[name]["age"]) for name in names]
    return Faces(np.stack([embeddings[name] for name in names]), np.array(groups), np.array(ages))


def _bin(age: str) -> str:
    """FairFace's bin of an age, or the bin itself."""
    if not age.isdigit():
        return age
    years = int(age)
    return "3-9" if years < 10 else "10-19" if years < 20 else ADULTS[min(years // 10, 7) - 2]


def _look(tools: Toolbox, data: Path, look: str, cache: Path | None) -> dict[str, Faces]:
    """LFW's people with several pictures, in altered ones."""
    with common.folder(data) as root, TemporaryDirectory() as folder:
        paths = sorted(root.rglob("*.jpg"))
        several = Counter(path.stem.rpartition("_")[0] for path in paths)
        altered = Path(folder) / f"{data.stem}-{look}"
        altered.mkdir()
        for path in paths:
            if several[path.stem.rpartition("_")[0]] > 1:
                cv2.imwrite(str(altered / f"{path.stem}.png"), _altered(cv2.imread(str(path)), look))
        found = group_faces.embedded(tools, altered, "*.png", cache)
    return {recognizer: _lfw(rows) for recognizer, rows in found.items()}


def _altered(image: NDArray[np.uint8], look: str) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    if look == "small":
        return np.asarray(cv2.resize(image, (width // 3, height // 3), interpolation=cv2.INTER_AREA))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.01 * width))


if __name__ == "__main__":
    main()
