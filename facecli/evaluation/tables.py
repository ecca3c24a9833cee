"""Tables that people write about pictures: CSV files with a column for each fact, read row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import IO

from facecli.errors import UsageError

MOST_LINES = 5_000_000  # each takes some hundred bytes as long as a table is in use
LONGEST_LINE = 2**16  # characters; a file without line ends, such as /dev/zero, must not fill the memory
# The marks that UTF-16 begins with, as UTF-8 is read where undecodable bytes are kept.
UTF16 = ("\udcff\udcfe", "\udcfe\udcff")

Row = Mapping[str, str | None]


class Table:
    """A CSV file with a header. name: the file's name in messages. columns: its columns, in their order.

    A header with semicolons or tabs and no comma says that these separate the columns, as spreadsheets write them where
    the comma is decimal. Blanks behind a separator do not count.

    Raises UsageError for a file without the columns that it `needs`, or with one of them twice, and for UTF-16.
    """

    def __init__(self, lines: Iterable[str], name: str, needs: Sequence[str]) -> None:
        lines = iter(lines)
        first = next(lines, "")
        if first.startswith(UTF16):
            raise UsageError(f"{name} is UTF-16, which is not read", hint="save it as UTF-8")
        separator = next((own for own in ",;\t" if own in first), ",")
        lines = chain([first], lines)
        self._reader = csv.DictReader(lines, strict=True, delimiter=separator, skipinitialspace=True)
        self.name = name
        try:
            self._reader.fieldnames = [column.strip() for column in self._reader.fieldnames or ()]
            self.columns = tuple(self._reader.fieldnames)
        except csv.Error as error:
            raise self._broken(error) from error
        self._check_columns(needs)

    def rows(self) -> Iterator[tuple[Row, int]]:
        """Yield each row with the number of its line. Raises UsageError, with the line, where it is no CSV file."""
        try:
            for row in self._reader:
                yield row, self._reader.line_num
        except csv.Error as error:
            raise self._broken(error) from error

    def _broken(self, error: csv.Error) -> UsageError:
        return UsageError(f"{self.name} line {self._reader.line_num + 1}: {error}", hint="is it a CSV file?")

    def _check_columns(self, needs: Sequence[str]) -> None:
        if twice := [column for column in needs if self.columns.count(column) > 1]:
            raise UsageError(f"{self.name} has the column {', '.join(twice)} twice", hint="leave one of them out")
        if missing := [column for column in needs if column not in self.columns]:
            small = {column.lower() for column in self.columns} >= {*needs}
            hint = f"its first line must be {','.join(needs)}{', in small letters' * small}"
            raise UsageError(f"{self.name} has no column {', '.join(missing)}", hint=hint)


def lines_of(stream: IO[str], name: str) -> Iterator[str]:
    """Yield the lines of an open text file. Raises UsageError for what has no end, and where reading fails."""
    try:
        for number in count():
            if not (line := stream.readline(LONGEST_LINE + 1)):
                return
            if number > MOST_LINES:
                raise UsageError(f"{name} has more than {MOST_LINES} lines", hint="is it the right file?")
            if len(line) > LONGEST_LINE:
                raise UsageError(f"{name} has a line of more than {LONGEST_LINE} characters", hint="is it a CSV file?")
            yield line
    except OSError as error:
        raise UsageError(f"can not read {name}: {error.strerror or error}", hint="check what it is") from error


def check_inside(file: str, place: str) -> None:
    """Raise UsageError for a file that lies outside the folder that it is named relative to. place: for messages."""
    if Path(file).is_absolute() or ".." in Path(file).parts:
        message, hint = f"{place}: {file} is outside the {{root}} folder", "name files relative to {root}"
        raise UsageError(message, hint=hint, about="root")
