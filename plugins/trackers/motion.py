"""The motion of tracks: a Kalman filter of each box's place and size, for all tracks at once.

The filter of A. Bewley et al., "Simple Online and Realtime Tracking", ICIP 2016: centre, area and aspect of a box, and
the rates of the first three, which change little. Its covariances are diagonal, so its matrices of 7 x 7 fall apart
into three filters of a value and its rate, and one of a value alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray

Rows = NDArray[np.float64]

RATE = 25.0  # frames per second that the noise is stated for
# Variances in px^2, of centre x, centre y and aspect per frame, and of the area in px^4: those of the original.
VALUE_NOISE = np.array([1.0, 1.0, 1.0, 1.0])
RATE_NOISE = np.array([0.01, 0.01, 0.0001, 0.0])
MEASURED_NOISE = np.array([1.0, 1.0, 10.0, 10.0])
FIRST_VALUE, FIRST_RATE = 10.0, np.array([1e4, 1e4, 1e4, 0.0])


class Motion:
    """The filters of T tracks. Rows are tracks; columns are centre x, centre y, area and aspect, whose rate stays 0."""

    def __init__(self) -> None:
        self.values = np.zeros((0, 4))
        self.rates = np.zeros((0, 4))
        # Each (T, 4): the variance of a value, its covariance with its rate, and the variance of the rate.
        self._variance, self._shared, self._rate_variance = (np.zeros((0, 4)) for _ in range(3))

    @property
    def bboxes(self) -> FloatArray:
        """(T, 4) float32 xyxy px: where the tracks are."""
        x, y, area, aspect = np.maximum(self.values, (-np.inf, -np.inf, 1e-6, 1e-6)).T
        width = np.sqrt(area * aspect)
        sides = np.stack([width, area / width], axis=1)
        centres = np.stack([x, y], axis=1)
        return np.hstack([centres - sides / 2, centres + sides / 2]).astype(np.float32)

    def add(self, bboxes: FloatArray) -> None:
        """Begin tracks at these boxes (N, 4), at rest."""
        measured = _measured(bboxes)
        self.values = np.vstack([self.values, measured])
        self.rates = np.vstack([self.rates, np.zeros_like(measured)])
        self._variance = np.vstack([self._variance, np.full_like(measured, FIRST_VALUE)])
        self._shared = np.vstack([self._shared, np.zeros_like(measured)])
        self._rate_variance = np.vstack([self._rate_variance, np.tile(FIRST_RATE, (len(measured), 1))])

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Leave the tracks out for which `rows`, (T,), is False."""
        self.values, self.rates, self._variance, self._shared, self._rate_variance = (
            part[rows] for part in (self.values, self.rates, self._variance, self._shared, self._rate_variance)
        )

    def predict(self, seconds: float) -> None:
        """Move all tracks on by a time."""
        frames = seconds * RATE
        shrinks_away = self.values[:, 2] + frames * self.rates[:, 2] <= 0
        self.rates[shrinks_away, 2] = 0
        self.values = self.values + frames * self.rates
        self._variance = self._variance + frames * (2 * self._shared + frames * self._rate_variance)
        self._variance += frames * VALUE_NOISE
        self._shared = self._shared + frames * self._rate_variance
        self._rate_variance = self._rate_variance + frames * RATE_NOISE

    def correct(self, rows: NDArray[np.intp], bboxes: FloatArray) -> None:
        """Draw the tracks `rows`, (N,), towards the boxes (N, 4) that were detected."""
        variance, shared = self._variance[rows], self._shared[rows]
        total = variance + MEASURED_NOISE
        off = _measured(bboxes) - self.values[rows]
        self.values[rows] += variance / total * off
        self.rates[rows] += shared / total * off
        self._rate_variance[rows] -= shared**2 / total
        self._variance[rows], self._shared[rows] = variance * MEASURED_NOISE / total, shared * MEASURED_NOISE / total


def _measured(bboxes: FloatArray) -> Rows:
    """Return centre x, centre y, area and aspect of boxes (N, 4); one without area counts as a tiny one."""
    corners = bboxes.astype(np.float64)
    sides = np.maximum(corners[:, 2:] - corners[:, :2], 1e-3)
    centres = (corners[:, :2] + corners[:, 2:]) / 2
    return np.column_stack([centres, sides.prod(1), sides[:, 0] / sides[:, 1]])
