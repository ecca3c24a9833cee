"""Lists of picture pairs, each labelled as the same person or not: the CSV files that people write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from facecli.errors import UsageError
from facecli.evaluation.tables import Row, Table, check_inside, lines_of

COLUMNS = ("file_a", "file_b", "same")
TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, named relative to a folder, and whether they show the same person.

    group: the group of people that both faces belong to; None if they belong to none, or to two.
    """

    a: str
    b: str
    same: bool
    group: str | None = None


def pictures_of(pairs: Sequence[Pair]) -> list[str]:
    """Return the name of every picture in the pairs once, in the order of its first mention."""
    return list(dict.fromkeys(name for pair in pairs for name in (pair.a, pair.b)))


def read_stream(stream: IO[str], name: str, by: Sequence[str] = ()) -> list[Pair]:
    """Return the pairs of an open CSV file. name: the file's name in messages. by: as in `read`, which raises."""
    return read(lines_of(stream, name), name, by)


def read(lines: Iterable[str], name: str, by: Sequence[str] = ()) -> list[Pair]:
    """Return the pairs in the lines of a CSV file with the columns file_a, file_b, same; others are ignored.

    A pair counts once, however often and in whichever order of its pictures it is listed. name: the file's name in
    messages. by: the columns that make the groups; a column X stands for the pair, or is given for each of its faces,
    as X_a and X_b.

    Raises UsageError, with the line number, for a row that can not be read, a picture outside the folder, a picture
    that is paired with itself, and a pair that is labelled in two ways.
    """
    table = Table(lines, name, COLUMNS)
    by_columns = [_columns_for(column, table) for column in by]
    first_rows: dict[frozenset[Path], tuple[Pair, int]] = {}
    for row, line in table.rows():
        pair = _pair(row, f"{name} line {line}", by_columns)
        first, first_line = first_rows.setdefault(frozenset((Path(pair.a), Path(pair.b))), (pair, line))
        if (first.same, first.group) != (pair.same, pair.group):
            message = f"{name} lines {first_line} and {line} contradict each other"
            what = "the same person" if first.same != pair.same else f"of the group {first.group}"
            raise UsageError(message, hint=f"{pair.a} and {pair.b} are {what} in one of them alone: correct the other")
    if not first_rows:
        raise UsageError(f"{name} has no pairs", hint=f"give lines of {','.join(COLUMNS)}")
    return [pair for pair, _ in first_rows.values()]


def _columns_for(column: str, table: Table) -> tuple[str, ...]:
    """Return the column of a table that has a group's name, or the two that have it for each face."""
    both = (f"{column}_a", f"{column}_b")
    if column in table.columns:
        return (column,)
    if not set(both) <= {*table.columns}:
        message = f"{table.name} has no column {column}, nor {' and '.join(both)}"
        raise UsageError(message, hint=f"it has {', '.join(table.columns)}", about="by")
    return both


def _pair(row: Row, place: str, by: Sequence[Sequence[str]]) -> Pair:
    a, b, same = (row[column] for column in COLUMNS)
    if not a or not b or same is None:
        raise UsageError(f"{place} is not complete", hint=f"it needs {', '.join(COLUMNS)}")
    if same.strip().lower() not in TRUTH:
        raise UsageError(f"{place}: same is {same!r}", hint="write 1 or 0")
    for file in (a, b):
        check_inside(file, place)
    if Path(a) == Path(b):
        raise UsageError(f"{place} pairs {a} with itself", hint="leave it out: the same picture says nothing of faces")
    sides = [{(row[column] or "").strip() for column in columns} for columns in by]
    grouped = bool(sides) and all(len(names) == 1 and "" not in names for names in sides)
    group = " ".join(name for names in sides for name in names) if grouped else None
    return Pair(a, b, TRUTH[same.strip().lower()], group)
