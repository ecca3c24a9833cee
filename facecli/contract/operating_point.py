"""TODO: facecli.contract.operating_point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Metric = Literal["cosine", "euclidean", "euclidean_l2", "angular"]
METRICS: tuple[Metric, ...] = get_args(Metric)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Where "same person" begins: distance <= threshold in `metric`, with what is known about the error there.

    source: who states the threshold. protocol: the data and protocol that fmr and fnmr were measured on.
    equivalents: thresholds of other metrics at the same FMR, measured on the same data.
    by_fmr: measured (FMR, threshold) pairs in `metric`.
    """

    metric: Metric
    threshold: float
    source: str
    protocol: str | None = None
    fmr: float | None = None
    fnmr: float | None = None
    equivalents: Mapping[str, float] = field(default_factory=dict)
    by_fmr: tuple[tuple[float, float], ...] = ()
