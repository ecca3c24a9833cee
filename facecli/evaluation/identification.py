"""Open-set identification measured, named as in ISO/IEC 19795-1 and NIST's FRTE 1:N.

People are enrolled with some of their pictures; the others are mated searches. Everybody else's pictures are non-mated
searches. FPIR(T) is the share of non-mated searches that name somebody at threshold T, FNIR(T) the share of mated ones
that do not name the right person there. A picture that gives no face names nobody: it is a miss for its person, and
never a false positive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.errors import UsageError
from facecli.evaluation.people_rate import PeopleRate, people_rate
from facecli.gallery.calibration import leave_one_out, too_small
from facecli.gallery.index import Index, Score
from facecli.gallery.store.records import Templates
from facecli.types import FloatArray

RATES = (0.1, 0.03, 0.01)
DET_POINTS = 60
STRANGERS = 5  # without strangers of their own, one of so many people is left out of the gallery

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person's pictures. rows: (N, dim) float32, of those that gave a face. failed: how many gave none."""

    rows: FloatArray
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The way to measure. templates: pictures that each person is enrolled with. splits: how often, each time others.

    score: the distance to a person, see facecli.gallery.index.
    """

    templates: int = 3
    splits: int = 20
    score: Score = "blend"


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """The searches of all splits. distances: (S,) to the nearest person, inf without a face. people: whose each is.

    right: whether the nearest is that person; False for strangers. split: the number of each one's split.
    """

    distances: Floats
    people: Ints
    right: NDArray[np.bool_]
    split: Ints

    def rate(self, wrong: NDArray[np.bool_], splits: int) -> PeopleRate | None:
        """Return the share of searches that are `wrong`, with an interval over people."""
        return people_rate(wrong, self.people, len(wrong) / splits)


@dataclass(frozen=True, slots=True)
class AtFpir:
    """The rates at one threshold. wanted: the FPIR that it was looked for. threshold: None where none has that.

    Where a gallery calibrates itself each split has a threshold of its own, and `threshold` is their mean.
    """

    wanted: float
    threshold: float | None
    fpir: PeopleRate | None
    fnir: PeopleRate | None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class DetPoint:
    """A point of the detection error trade-off."""

    threshold: float
    fpir: float
    fnir: float


@dataclass(frozen=True, slots=True)
class Identification:
    """The rates of open-set identification.

    enrolled: people in the gallery, the same number in every split. mated, non_mated: searches of all splits together;
    searchers, strangers: people whose they are. rank_one: searches whose nearest person is the right one, whatever the
    distance. at_fpir: thresholds chosen on these very searches; calibrated: chosen by the gallery on its own people.
    """

    plan: Plan
    enrolled: int
    mated: int
    searchers: int
    non_mated: int
    strangers: int
    rank_one: PeopleRate | None
    at_fpir: tuple[AtFpir, ...]
    calibrated: tuple[AtFpir, ...]
    det: tuple[DetPoint, ...]


def evaluate(people: Mapping[str, Person], strangers: Mapping[str, Person], plan: Plan) -> Identification:
    """Return the rates of a gallery of `people` against `strangers` and people with too few pictures to be enrolled.

    Without strangers a fifth of the people is left out in each split, others each time. Raises UsageError for fewer
    than two people to enroll, and if nobody is a stranger.
    """
    several = sorted(name for name, one in people.items() if len(one.rows) > plan.templates)
    others = [(name, one) for name, one in sorted(people.items()) if name not in set(several)]
    others += [(name, one) for name, one in sorted(strangers.items())]
    left_out = 0 if others else -(-len(several) // STRANGERS)
    if len(several) - left_out < 2:
        message = f"{len(several)} people have more than {plan.templates} pictures with a face: too few to enroll"
        raise UsageError(message, hint="give more pictures of each, or lower {templates}", about="templates")
    everybody = [people[name] for name in several] + [one for _, one in others]
    mated, non_mated, thresholds = [], [], []
    for number in range(plan.splits):
        split = _Split.made(everybody, len(several), left_out, plan, number)
        mated.append(split.mated())
        non_mated.append(split.non_mated())
        thresholds.append(split.thresholds())
    return _rates(plan, len(several) - left_out, _joined(mated), _joined(non_mated), thresholds)


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    """One choice of who is enrolled, and with which pictures. enrolled: places in `everybody`, ascending."""

    everybody: Sequence[Person]
    index: Index
    enrolled: list[int]
    probes: list[Ints]
    number: int

    @classmethod
    def made(cls, everybody: Sequence[Person], several: int, left_out: int, plan: Plan, number: int) -> _Split:
        rng = np.random.default_rng(number)
        enrolled = sorted(rng.permutation(several)[: several - left_out].tolist())
        orders = [rng.permutation(len(everybody[place].rows)) for place in enrolled]
        rows = [everybody[place].rows[order[: plan.templates]] for place, order in zip(enrolled, orders, strict=True)]
        owners = tuple(place for place in enrolled for _ in range(plan.templates))
        templates = Templates(
            np.concatenate(rows), tuple(range(len(owners))), owners, {place: str(place) for place in enrolled}, 0
        )
        return cls(
            everybody, Index(templates, plan.score), enrolled, [order[plan.templates :] for order in orders], number
        )

    def mated(self) -> Searches:
        found = [
            self._search(place, self.everybody[place].rows[probes])
            for place, probes in zip(self.enrolled, self.probes, strict=True)
        ]
        return _joined(found)

    def non_mated(self) -> Searches:
        known = set(self.enrolled)
        return _joined([self._search(p, one.rows) for p, one in enumerate(self.everybody) if p not in known])

    def thresholds(self) -> dict[float, float]:
        """Return the thresholds that the gallery of this split measures by itself, where it is large enough."""
        people, rows = len(self.index.people), len(self.index.rows)
        rates = tuple(rate for rate in RATES if too_small(people, rows, rate) is None)
        return {point.rate: point.threshold for point in leave_one_out(self.index, rates)} if rates else {}

    def _search(self, place: int, rows: FloatArray) -> Searches:
        """Return the searches of one person, the pictures without a face last."""
        count = len(rows) + self.everybody[place].failed
        distances, right = np.full(count, np.inf), np.zeros(count, bool)
        if len(rows):
            found = self.index.distances(rows)
            distances[: len(rows)] = found.min(axis=1)
            right[: len(rows)] = self.index.people[found.argmin(axis=1)] == place
        return Searches(distances, np.full(count, place), right, np.full(count, self.number))


def _joined(parts: Sequence[Searches]) -> Searches:
    if not parts:
        return Searches(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, np.int64))
    columns = [(one.distances, one.people, one.right, one.split) for one in parts]
    distances, people, right, split = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Searches(distances, people, right, split)


def _rates(
    plan: Plan, enrolled: int, mated: Searches, non_mated: Searches, thresholds: Sequence[Mapping[float, float]]
) -> Identification:
    near = np.sort(non_mated.distances)
    hits = np.sort(np.where(mated.right, mated.distances, np.inf))
    return Identification(
        plan=plan,
        enrolled=enrolled,
        mated=len(mated.people),
        searchers=len(np.unique(mated.people)),
        non_mated=len(near),
        strangers=len(np.unique(non_mated.people)),
        rank_one=mated.rate(mated.right, plan.splits),
        at_fpir=tuple(_at(rate, _threshold(near, rate), mated, non_mated, plan.splits) for rate in RATES),
        calibrated=tuple(_calibrated(rate, thresholds, mated, non_mated, plan.splits) for rate in RATES),
        det=tuple(_det(near, hits)),
    )


def _threshold(near: Floats, rate: float) -> float | None:
    """Return the largest threshold that at most `rate` of the non-mated searches reach; None where it takes more."""
    allowed = int(np.floor(rate * len(near) * (1 + 1e-9)))
    if allowed == 0:
        return None
    beyond = near[allowed] if allowed < len(near) else np.inf
    return float(min(near[allowed - 1], np.nextafter(beyond, -np.inf)))


def _at(wanted: float, threshold: float | None, mated: Searches, non_mated: Searches, splits: int) -> AtFpir:
    if threshold is None:
        needed = int(np.ceil(1 / wanted))
        return AtFpir(wanted, None, None, None, f"takes {needed} non-mated searches")
    return _measured(wanted, threshold, np.full(splits, threshold), mated, non_mated)


def _calibrated(
    wanted: float, thresholds: Sequence[Mapping[float, float]], mated: Searches, non_mated: Searches, splits: int
) -> AtFpir:
    own = [one[wanted] for one in thresholds if wanted in one]
    if len(own) < splits:
        return AtFpir(wanted, None, None, None, "the gallery is too small to calibrate itself")
    return _measured(wanted, float(np.mean(own)), np.array(own), mated, non_mated)


def _measured(wanted: float, told: float, by_split: Floats, mated: Searches, non_mated: Searches) -> AtFpir:
    named = non_mated.distances <= by_split[non_mated.split]
    missed = ~(mated.right & (mated.distances <= by_split[mated.split]))
    splits = len(by_split)
    return AtFpir(wanted, told, non_mated.rate(named, splits), mated.rate(missed, splits))


def _det(near: Floats, hits: Floats) -> list[DetPoint]:
    """Return points of the trade-off, their FPIRs evenly spaced in logarithm. near, hits: sorted distances."""
    if not len(near) or not len(hits):
        return []
    counts = np.unique(np.geomspace(1, len(near), DET_POINTS).round().astype(int))
    thresholds = np.unique(near[counts - 1][np.isfinite(near[counts - 1])])
    fpir = np.searchsorted(near, thresholds, side="right") / len(near)
    fnir = 1 - np.searchsorted(hits, thresholds, side="right") / len(hits)
    return [DetPoint(*point) for point in zip(thresholds.tolist(), fpir.tolist(), fnir.tolist(), strict=True)]
