"""Rows as CSV that no spreadsheet runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of one


class Writer:
    """A writer of one CSV: a line of column names, then rows, which have these columns and no others."""

    def __init__(self, stream: TextIO, columns: Sequence[str]) -> None:
        import csv

        self._writer = csv.DictWriter(stream, columns, lineterminator="\n", extrasaction="raise")

    def header(self) -> None:
        """Write the names of the columns."""
        self._writer.writeheader()

    def row(self, cells: Mapping[str, Any]) -> None:
        """Write one row; a column without a cell is empty."""
        self._writer.writerow({column: _harmless(cell) for column, cell in cells.items()})


def _harmless(cell: Any) -> Any:
    """Return a cell that no spreadsheet runs: a text that begins as a formula has an apostrophe before it.

    See OWASP, CSV Injection. A text of one character is no formula; - is stdin.
    """
    return f"'{cell}" if isinstance(cell, str) and cell[1:] and cell.startswith(FORMULA) else cell
