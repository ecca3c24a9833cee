"""The distance up to which two embeddings count as one person, and the error rates that were measured there."""

# Annotations are objects here, not texts: facecli.models checks a catalogue entry by the types of the fields.

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from facecli.kinds import COHORT, METRICS, PointMetric


@dataclass(frozen=True, slots=True)
class Cohort:
    """States the strangers beside whom the faces of a recognizer are compared, in the metric "cohort".

    sha256: of the file that holds them, an .npy array (C, dim) float16 or float32: a row is the recognizer's embedding
    of a stranger, of length 1, or the mean of several. top: the number of rows that a face is compared beside, those
    most like it. path: the file in the plugin's distribution. In a point that a user has calibrated it is None, and the
    file is the recognizer's of the same sha256.
    """

    sha256: str
    top: int
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold of a recognizer: two faces are one person if their distance in `metric` is at most `threshold`.

    source: who states the threshold. protocol: the data and the protocol that the rates were measured by.
    fmr, fnmr: false match rate and false non-match rate there, 0 to 1; None where they were not measured.
    equivalents: other metric -> the threshold that has the FMR of this one, measured on the same data.
    by_fmr: further measured pairs of an FMR and its threshold in `metric`, among which a user can choose.
    worst_group: the group of people whose members are taken for each other most often at the threshold; None where
    nothing was measured for groups. fmr_worst_group: the FMR among them. worst_by_fmr: the same for the thresholds of
    `by_fmr`, as pairs of its FMR and that of the worst group there.
    cohort: the strangers, of a point whose metric is "cohort".
    """

    metric: PointMetric
    threshold: float
    source: str
    protocol: str | None = None
    fmr: float | None = None
    fnmr: float | None = None
    equivalents: Mapping[str, float] = field(default_factory=dict)
    by_fmr: tuple[tuple[float, float], ...] = ()
    worst_group: str | None = None
    fmr_worst_group: float | None = None
    worst_by_fmr: tuple[tuple[float, float], ...] = ()
    cohort: Cohort | None = None

    @property
    def thresholds(self) -> tuple[float, ...]:
        """All thresholds: the point's own, those of other metrics, and those of other rates."""
        return (self.threshold, *self.equivalents.values(), *(threshold for _, threshold in self.by_fmr))

    @property
    def rates(self) -> tuple[float, ...]:
        """All error rates that were measured, of either kind."""
        asked = (fmr for fmr, _ in self.by_fmr)
        worst = (rate for pair in self.worst_by_fmr for rate in pair)
        stated = (self.fmr, self.fnmr, self.fmr_worst_group, *asked, *worst)
        return tuple(rate for rate in stated if rate is not None)

    @property
    def unknown_metrics(self) -> frozenset[str]:
        """The names of metrics that are not known, in a point that comes from elsewhere; "cohort" needs a cohort."""
        known = METRICS if self.cohort is None else (*METRICS, COHORT)
        return frozenset({self.metric, *self.equivalents}.difference(known))
