"""The least assignment, beside trying all."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from facecli.assignment import assign


def least_cost(costs):
    """The least sum of costs, of all ways to use each row or each column once."""
    if costs.shape[0] > costs.shape[1]:
        costs = costs.T
    rows = range(len(costs))
    ways = itertools.permutations(range(costs.shape[1]), len(rows))
    return min(costs[rows, list(columns)].sum() for columns in ways)


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (5, 2), (4, 4), (6, 6), (3, 7)])
@pytest.mark.parametrize("levels", [0, 2])
def test_no_other_assignment_costs_less(shape, levels):
    """Also where many costs are equal."""
    rng = np.random.default_rng(levels)
    for _ in range(20):
        costs = rng.integers(0, levels + 1, shape).astype(float) if levels else rng.normal(size=shape)
        rows, columns = assign(costs)
        assert len(rows) == min(shape) == len({*columns.tolist()})
        assert rows.tolist() == sorted({*rows.tolist()})
        assert costs[rows, columns].sum() == pytest.approx(least_cost(costs))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_is_assigned_to_nothing(shape):
    rows, columns = assign(np.zeros(shape))
    assert len(rows) == len(columns) == 0
