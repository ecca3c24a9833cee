"""The distance up to which two embeddings count as one person, and the error rates that were measured there."""

# Annotations are objects here, not texts: facecli.models checks a catalogue entry by the types of the fields.

from collections.abc import Mapping
from dataclasses import dataclass, field

from facecli.kinds import METRICS, Metric


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold of a recognizer: two faces are one person if their distance in `metric` is at most `threshold`.

    source: who states the threshold. protocol: the data and the protocol that the rates were measured by.
    fmr, fnmr: false match rate and false non-match rate there, 0 to 1; None where they were not measured.
    equivalents: other metric -> the threshold that has the FMR of this one, measured on the same data.
    by_fmr: further measured pairs of an FMR and its threshold in `metric`, among which a user can choose.
    """

    metric: Metric
    threshold: float
    source: str
    protocol: str | None = None
    fmr: float | None = None
    fnmr: float | None = None
    equivalents: Mapping[str, float] = field(default_factory=dict)
    by_fmr: tuple[tuple[float, float], ...] = ()

    @property
    def thresholds(self) -> tuple[float, ...]:
        """All thresholds: the point's own, those of other metrics, and those of other rates."""
        return (self.threshold, *self.equivalents.values(), *(threshold for _, threshold in self.by_fmr))

    @property
    def rates(self) -> tuple[float, ...]:
        """All error rates that were measured, of either kind."""
        stated = (self.fmr, self.fnmr, *(fmr for fmr, _ in self.by_fmr))
        return tuple(rate for rate in stated if rate is not None)

    @property
    def unknown_metrics(self) -> frozenset[str]:
        """The names of metrics that are none of METRICS, in a point that comes from elsewhere."""
        return frozenset({self.metric, *self.equivalents}.difference(METRICS))
