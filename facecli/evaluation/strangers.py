"""Different people: a folder or a list of pictures of which no two show one person, all compared with each other.

That makes N (N - 1) / 2 non-mated comparisons of N pictures. They are made block by block, and only the smallest
distances are kept: no table of all pairs is ever in memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facecli.errors import UsageError
from facecli.evaluation.error_curve import Distances, at_fmr
from facecli.evaluation.groups import GroupRates, grouped
from facecli.evaluation.labelled import LabelledFaces, Lookalikes, PairsEvaluation
from facecli.evaluation.rates import Rate, rate_of
from facecli.evaluation.recognition import REPORTED_FMR, Evaluation
from facecli.evaluation.tables import Table, check_inside, lines_of
from facecli.kinds import PointMetric
from facecli.matching.cohort import templates
from facecli.matching.metrics import pairwise
from facecli.matching.thresholds import DecisionRule
from facecli.pictures.listing import expand
from facecli.types import FloatArray

BLOCK = 256  # pictures that are compared with all others at once: 20 MB of distances for 10,000 pictures
CLOSEST = 10  # pairs that are told: a person who is there twice is among them

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Stranger:
    """A picture of somebody of whom there is no other picture. group: the group of people that the face belongs to."""

    picture: str
    group: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """The part of the comparisons that is kept. false, total: numbers of each group and, at the last place, of all.

    distances, a, b: the smallest distances, ascending, and the places of their two pictures.
    """

    false: NDArray[np.int64]
    total: NDArray[np.int64]
    distances: Distances
    a: Places
    b: Places


def listed(path: Path, root: Path, by: Sequence[str] = ()) -> list[Stranger]:
    """Return the pictures of a folder, or those in the column file of a CSV file, named relative to the folder `root`.

    by: the columns that make the groups. Raises UsageError, with the line number, for a row that can not be read and a
    picture that is listed twice or lies outside the folder; and for fewer than two pictures.
    """
    if path.is_dir():
        if by:
            message, hint = f"{path} is a folder, which has no columns", "list its pictures in a CSV file: file,COLUMN"
            raise UsageError(message, hint=f"{hint}; then name that in {{impostors}}", about=("by", "impostors"))
        found = [Stranger(source.name) for source in expand([str(path)])]
    else:
        found = [replace(stranger, picture=str(root / stranger.picture)) for stranger in _opened(path, by)]
    if len(found) < 2:
        message = f"{path} has {len(found)} picture{'s' * (len(found) != 1)}, which make no pair"
        raise UsageError(message, hint="give more in {impostors}", about="impostors")
    return found


def _opened(path: Path, by: Sequence[str]) -> list[Stranger]:
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            return read(lines_of(stream, str(path)), str(path), by)
    except OSError as error:
        raise UsageError(f"can not read {path}: {error.strerror or error}", hint="check what it is") from error


def read(lines: Iterable[str], name: str, by: Sequence[str] = ()) -> list[Stranger]:
    """Return the pictures in the lines of a CSV file with the column file; name: the file's name in messages.

    by: the columns that make the groups. Raises UsageError, with the line number, for a row that can not be read and a
    picture that is listed twice or lies outside the folder.
    """
    table = Table(lines, name, ("file", *by))
    strangers: dict[str, Stranger] = {}
    for row, line in table.rows():
        file, names = row["file"], [(row[column] or "").strip() for column in by]
        if not file:
            raise UsageError(f"{name} line {line} is not complete", hint="it needs a file")
        check_inside(file, f"{name} line {line}")
        if file in strangers:
            raise UsageError(f"{name} line {line}: {file} was listed before", hint="list each person once")
        strangers[file] = Stranger(file, " ".join(names) if names and all(names) else None)
    return list(strangers.values())


def compare(embeddings: Sequence[FloatArray], metric: PointMetric) -> Iterator[tuple[Places, Places, Distances]]:
    """Yield all pairs of pictures in blocks: the places of both, (K,) int each, and their distances, (K,) float64.

    embeddings: of each picture (M, dim), M >= 1, or templates for the metric "cohort"; of several faces the closest
    pair counts. A pair comes once.
    """
    count = len(embeddings)
    if count < 2:
        return
    rows, starts = np.concatenate(embeddings), np.cumsum([0, *map(len, embeddings)])
    for first in range(0, count, BLOCK):
        last = min(first + BLOCK, count)
        table = pairwise(rows[starts[first] : starts[last]], rows[starts[first] :], metric)
        table = np.minimum.reduceat(table, starts[first:last] - starts[first], axis=0)
        table = np.minimum.reduceat(table, starts[first:count] - starts[first], axis=1)
        a, b = np.triu_indices(last - first, 1, count - first)
        yield a + first, b + first, table[a, b]


def evaluate(
    strangers: Sequence[Stranger], faces: LabelledFaces, rule: DecisionRule, face: str, by: Sequence[str] = ()
) -> PairsEvaluation:
    """Return the evaluation of the recognizer that gave the embeddings of `faces`, on different people.

    face: the choice that gave them. by: the columns that made the groups. What takes two pictures of one person is None
    in the rates.
    """
    found = [stranger for stranger in strangers if stranger.picture in faces.embeddings]
    names = sorted({stranger.group for stranger in found if stranger.group})
    groups = np.array([names.index(stranger.group) if stranger.group else -1 for stranger in found], np.intp)
    blocks = compare([templates(rule.cohort, faces.embeddings[own.picture]) for own in found], rule.metric)
    tally = _tally(blocks, groups, len(names), rule.threshold)
    rates = _rates(tally, rule.threshold, len(strangers) * (len(strangers) - 1) // 2)
    closest = tuple(
        Lookalikes(found[a].picture, found[b].picture, float(distance))
        for a, b, distance in zip(tally.a[:CLOSEST], tally.b[:CLOSEST], tally.distances[:CLOSEST], strict=True)
    )
    by_group = zip(names, tally.false[:-1].tolist(), tally.total[:-1].tolist(), strict=True)
    own = [GroupRates(name, rate_of(false, total), None) for name, false, total in by_group]
    rest = int(tally.total[-1] - tally.total[:-1].sum())
    return PairsEvaluation(rule, face, faces, rates, grouped(by, own, (0, rest)) if by else None, closest)


def _tally(blocks: Iterable[tuple[Places, Places, Distances]], groups: Places, count: int, threshold: float) -> _Tally:
    """Return what is kept of blocks of comparisons. groups: of each picture the place of its group, -1 for none."""
    kept = max(CLOSEST, math.floor(max(REPORTED_FMR) * len(groups) * (len(groups) - 1) / 2) + 2)
    false, total = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    lowest: tuple[Distances, Places, Places] = (np.empty(0), np.empty(0, np.intp), np.empty(0, np.intp))
    for a, b, distances in blocks:
        within = np.where((groups[a] == groups[b]) & (groups[a] >= 0), groups[a], count)
        false += np.bincount(within[distances <= threshold], minlength=count + 1)
        total += np.bincount(within, minlength=count + 1)
        near = distances < lowest[0][-1] if len(lowest[0]) == kept else slice(None)
        joined = [np.concatenate([old, new[near]]) for old, new in zip(lowest, (distances, a, b), strict=True)]
        order = np.argsort(joined[0], kind="stable")[:kept]
        lowest = joined[0][order], joined[1][order], joined[2][order]
    false[-1], total[-1] = false.sum(), total.sum()
    return _Tally(false, total, *lowest)


def _rates(tally: _Tally, threshold: float, listed: int) -> Evaluation:
    """Return the rates of non-mated comparisons alone. listed: the number of pairs, with those without a comparison."""
    false, total = int(tally.false[-1]), int(tally.total[-1])
    # The points are those of the non-mated distances: the first of them stands in for the mated ones.
    points = (at_fmr(tally.distances[:1], tally.distances, fmr, total) for fmr in REPORTED_FMR)
    return Evaluation(
        threshold=threshold,
        accuracy=Rate(total - false, listed),
        fmr=rate_of(false, total),
        fnmr=None,
        far=Rate(false, listed),
        frr=None,
        best_accuracy=Rate(total, listed),
        best_threshold=0.0,
        at_fmr=tuple(replace(point, match_rate=None) for point in points),
        cross_validation=None,
        roc=None,
    )
