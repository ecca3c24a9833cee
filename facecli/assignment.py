"""The assignment of rows to columns at the least cost in all. Public for plugins, such as trackers.

Shortest augmenting paths: R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
assignment problems", Computing 38, 1987, in the form of D. F. Crouse, "On implementing 2D rectangular assignment
algorithms", IEEE Transactions on Aerospace and Electronic Systems 52, 2016.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]
Costs = NDArray[np.float64]


def assign(costs: NDArray[np.floating]) -> tuple[Indices, Indices]:
    """Return rows and columns, both (K,) with K = min(N, M), whose costs have the least sum; rows ascend.

    costs: (N, M), finite. Each row and each column is used at most once. For some hundred rows at most: the time grows
    with their cube in the worst case, and in practice with their square.
    """
    if costs.shape[0] > costs.shape[1]:
        columns, rows = assign(costs.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    table = np.asarray(costs, np.float64)
    count, width = table.shape
    column_of, row_of = np.full(count, -1, np.intp), np.full(width, -1, np.intp)
    prices = np.zeros(count), np.zeros(width)
    for row in range(count):
        before, end = _shortest_path(table, row, row_of, prices)
        column = end
        while column >= 0:  # each row on the path takes the column behind it, and leaves its own to the row before
            taker = before[column]
            row_of[column], column_of[taker], column = taker, column, column_of[taker]
    return np.arange(count), column_of


def _shortest_path(table: Costs, start: int, row_of: Indices, prices: tuple[Costs, Costs]) -> tuple[Indices, int]:
    """Return the way from a row to the cheapest free column, and renew the prices.

    The way is (M,), the row before each column, and the column where it ends. row_of: (M,), -1 for a free column.
    prices: (N,) of the rows and (M,) of the columns; no cost is below the sum of its two prices.
    """
    of_rows, of_columns = prices
    lengths, before = np.full(len(row_of), np.inf), np.full(len(row_of), -1, np.intp)
    done = np.zeros(len(row_of), bool)
    row, least = start, 0.0
    while True:
        further = table[row] - (of_rows[row] + of_columns - least)
        better = ~done & (further < lengths)
        lengths[better], before[better] = further[better], row
        end = int(np.where(done, np.inf, lengths).argmin())
        least = lengths[end]
        if row_of[end] < 0:
            break
        done[end], row = True, row_of[end]
    visited = np.flatnonzero(done)
    of_rows[start] += least
    of_rows[row_of[visited]] += least - lengths[visited]
    of_columns[visited] -= least - lengths[visited]
    return before, end
