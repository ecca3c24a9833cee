"""A measured rate with its 95 % interval: every error rate of facecli is one."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.959964  # the normal distribution's 97.5 % quantile
ENOUGH = 30  # G. Doddington's rule of 30: with 30 errors the true rate is within 30 % of the measured, at 90 %


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of comparisons: `count` of `total`, which is at least 1.

    Its interval is E. B. Wilson's, "Probable inference", JASA 1927. It takes the comparisons as independent; if some of
    them share a person, it is too narrow.
    """

    count: int
    total: int

    @property
    def value(self) -> float:
        """Return the share, 0 to 1."""
        return self.count / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """Return the lower and the upper end of the 95 % interval, 0 to 1."""
        return wilson(self.value, self.total)


def wilson(share: float, total: float) -> tuple[float, float]:
    """Return the 95 % interval of a share of `total` independent comparisons, 0 to 1; see Rate."""
    extra = Z95**2 / total
    centre = (share + extra / 2) / (1 + extra)
    half = Z95 / (1 + extra) * math.sqrt(share * (1 - share) / total + extra / total / 4)
    return max(0.0, centre - half), min(1.0, centre + half)


def rate_of(count: int, total: int) -> Rate | None:
    """Return the rate, or None if there is nothing to count."""
    return Rate(count, total) if total else None


def trust_note(errors: int) -> str | None:
    """Return a sentence for a rate that rests on fewer than ENOUGH false matches, else None."""
    return None if errors >= ENOUGH else f"rests on {errors} false matches; {ENOUGH} make it good to 30 %"
