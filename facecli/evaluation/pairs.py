"""Lists of picture pairs, each labelled as the same person or not: the CSV files that people write."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from facecli.errors import UsageError

COLUMNS = ("file_a", "file_b", "same")
LONGEST_LINE = 2**16  # characters; a file without line ends, such as /dev/zero, must not fill the memory
TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, named relative to a folder, and whether they show the same person."""

    a: str
    b: str
    same: bool


def pictures_of(pairs: Sequence[Pair]) -> list[str]:
    """Return the name of every picture in the pairs once, in the order of its first mention."""
    return list(dict.fromkeys(name for pair in pairs for name in (pair.a, pair.b)))


def read_stream(stream: IO[str], name: str) -> list[Pair]:
    """Return the pairs of an open CSV file. name: the file's name in messages. Raises UsageError as `read` does."""
    return read(lines_of(stream, name), name)


def lines_of(stream: IO[str], name: str) -> Iterator[str]:
    """Yield the lines of an open text file. Raises UsageError for an endless line and where reading fails."""
    try:
        while line := stream.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise UsageError(f"{name} has a line of more than {LONGEST_LINE} characters", hint="is it a CSV file?")
            yield line
    except OSError as error:
        raise UsageError(f"can not read {name}: {error.strerror or error}", hint="check what it is") from error


def read(lines: Iterable[str], name: str) -> list[Pair]:
    """Return the pairs in the lines of a CSV file with the columns file_a, file_b, same; others are ignored.

    A pair counts once, however often and in whichever order of its pictures it is listed. name: the file's name in
    messages. Raises UsageError, with the line number, for a row that can not be read, a picture outside the folder, and
    a pair that is labelled in both ways.
    """
    reader = csv.DictReader(lines, strict=True)
    first_rows: dict[frozenset[Path], tuple[Pair, int]] = {}
    try:
        _check_columns(reader.fieldnames or (), name)
        for row in reader:
            pair, line = _pair(row, f"{name} line {reader.line_num}"), reader.line_num
            first, first_line = first_rows.setdefault(frozenset((Path(pair.a), Path(pair.b))), (pair, line))
            if first.same != pair.same:
                message = f"{name} lines {first_line} and {line} contradict each other"
                hint = f"{pair.a} and {pair.b} are the same person in one of them alone: correct the other"
                raise UsageError(message, hint=hint)
    except csv.Error as error:
        raise UsageError(f"{name} line {reader.line_num + 1}: {error}", hint="is it a CSV file?") from error
    if not first_rows:
        raise UsageError(f"{name} has no pairs", hint=f"give lines of {','.join(COLUMNS)}")
    return [pair for pair, _ in first_rows.values()]


def _check_columns(columns: Sequence[str], name: str) -> None:
    if twice := [column for column in COLUMNS if list(columns).count(column) > 1]:
        raise UsageError(f"{name} has the column {', '.join(twice)} twice", hint="leave one of them out")
    if missing := [column for column in COLUMNS if column not in columns]:
        hint = f"its first line must be {','.join(COLUMNS)}"
        raise UsageError(f"{name} has no column {', '.join(missing)}", hint=hint)


def _pair(row: dict[str, str | None], place: str) -> Pair:
    a, b, same = (row[column] for column in COLUMNS)
    if not a or not b or same is None:
        raise UsageError(f"{place} is not complete", hint=f"it needs {', '.join(COLUMNS)}")
    if same.strip().lower() not in TRUTH:
        raise UsageError(f"{place}: same is {same!r}", hint="write 1 or 0")
    for file in (a, b):
        if Path(file).is_absolute() or ".." in Path(file).parts:
            message, hint = f"{place}: {file} is outside the {{root}} folder", "name files relative to {root}"
            raise UsageError(message, hint=hint, about="root")
    return Pair(a, b, TRUTH[same.strip().lower()])
