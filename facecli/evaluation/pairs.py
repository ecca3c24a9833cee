"""Lists of picture pairs of which it is known whether they show the same person."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from facecli.errors import UsageError

COLUMNS = ("file_a", "file_b", "same")
LONGEST_LINE = 2**16  # characters: what is no list, such as /dev/zero, must not fill the memory
TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, named relative to a folder, and whether they show the same person."""

    a: str
    b: str
    same: bool


def lines_of(stream: IO[str], name: str) -> Iterator[str]:
    """The lines of a file, none of which may be endless; UsageError if it is no text file that can be read."""
    try:
        while line := stream.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise UsageError(f"{name} has a line of more than {LONGEST_LINE} characters", hint="is it a CSV file?")
            yield line
    except OSError as error:
        raise UsageError(f"can not read {name}: {error.strerror or error}", hint="check what it is") from error


def read(lines: Iterable[str], name: str) -> list[Pair]:
    """The pairs of a CSV file with the header file_a,file_b,same, each once; further columns are ignored.

    A pair that is listed again, or the other way round, says nothing more. Raises UsageError, with the line number, for
    a row that can not be read, that leaves the folder, or that contradicts another.
    """
    reader = csv.DictReader(lines, strict=True)
    known: dict[frozenset[Path], tuple[Pair, int]] = {}
    try:
        names = reader.fieldnames or ()
        if twice := [column for column in COLUMNS if list(names).count(column) > 1]:
            raise UsageError(f"{name} has the column {', '.join(twice)} twice", hint="leave one of them out")
        missing = [column for column in COLUMNS if column not in names]
        if missing:
            raise UsageError(
                f"{name} has no column {', '.join(missing)}", hint=f"its first line must be {','.join(COLUMNS)}"
            )
        for row in reader:
            pair, line = _pair(row, f"{name} line {reader.line_num}"), reader.line_num
            first, before = known.setdefault(frozenset((Path(pair.a), Path(pair.b))), (pair, line))
            if first.same != pair.same:
                message = f"{name} lines {before} and {line} contradict each other"
                hint = f"{pair.a} and {pair.b} are the same person in one of them alone: correct the other"
                raise UsageError(message, hint=hint)
    except csv.Error as error:
        raise UsageError(f"{name} line {reader.line_num + 1}: {error}", hint="is it a CSV file?") from error
    if not known:
        raise UsageError(f"{name} has no pairs", hint=f"give lines of {','.join(COLUMNS)}")
    return [pair for pair, _ in known.values()]


def _pair(row: dict[str, str | None], place: str) -> Pair:
    a, b, same = (row[column] for column in COLUMNS)
    if not a or not b or same is None:
        raise UsageError(f"{place} is not complete", hint=f"it needs {', '.join(COLUMNS)}")
    if same.strip().lower() not in TRUTH:
        raise UsageError(f"{place}: same is {same!r}", hint="write 1 or 0")
    for file in (a, b):
        if Path(file).is_absolute() or ".." in Path(file).parts:
            raise UsageError(f"{place}: {file} is outside the --root folder", hint="name files relative to --root")
    return Pair(a, b, TRUTH[same.strip().lower()])
