"""Join FER2013 and FER+: `python -m facecli.models.training.fer2013_csv fer2013.csv fer2013new.csv fer2013.npz`.

fer2013.csv (Kaggle's "Challenges in Representation Learning": emotion, pixels, Usage) and fer2013new.csv
(github.com/microsoft/FERPlus: Usage, Image name, and a column of votes for each of ten choices) have equal pictures in
equal lines. Pictures without a name in the second file have no face, and are left out.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facecli.errors import FacecliError, InputError
from facecli.models.training.fer2013 import LABELS, OTHERS, SIDE, VOTES
from facecli.system.files import staged

# The choices as fer2013new.csv names them, in the order of VOTES and OTHERS.
_COLUMNS = (*VOTES, "contempt", "unknown", "NF")


def convert(fer2013: Path, ferplus: Path, out: Path) -> int:
    """Write the .npz file that the training reads; return the number of pictures. Raises InputError, OutputError."""
    examples: list[tuple[Any, int, list[int], str]] = []
    pictures = _rows(fer2013, ("emotion", "pixels", "Usage"))
    taggers = _rows(ferplus, ("Usage", "Image name", *_COLUMNS))
    try:
        for number, (picture, tagged) in enumerate(zip(pictures, taggers, strict=True), 2):
            usage = picture["Usage"]
            if usage != tagged["Usage"]:
                raise InputError(f"line {number} is of {usage} in {fer2013}, of {tagged['Usage']} in {ferplus}")
            if tagged["Image name"].strip():
                face = np.array(picture["pixels"].split(), np.uint8).reshape(SIDE, SIDE)
                label = range(len(LABELS)).index(int(picture["emotion"]))
                examples.append((face, label, [int(tagged[column]) for column in _COLUMNS], usage))
        pixels, labels, votes = (np.array(values, np.uint8) for values in list(zip(*examples, strict=True))[:3])
    except (ValueError, TypeError, AttributeError, OverflowError) as error:  # a line that was cut has None in it
        raise InputError(f"{fer2013} and {ferplus} do not belong together: {error}") from error
    names, split = np.unique([usage for *_, usage in examples], return_inverse=True)
    arrays = {"pixels": pixels, "label": labels, "label_names": np.array(LABELS)}
    arrays |= {"votes": votes, "vote_names": np.array([*VOTES, *OTHERS])}
    arrays |= {"split": split.astype(np.uint8), "split_names": names}
    with staged(out) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return len(examples)


def _rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the lines of a CSV file by column. Raises InputError if it lacks one of `columns`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = set(columns) - set(reader.fieldnames or ())
            if missing:
                raise InputError(f"{path} has no column {', '.join(sorted(missing))}")
            yield from reader
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} can not be read: {error}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code, one of facecli's."""
    parser = argparse.ArgumentParser(prog="python -m facecli.models.training.fer2013_csv", description=__doc__)
    for name in ("fer2013", "ferplus", "out"):
        parser.add_argument(name, type=Path)
    paths = parser.parse_args(arguments)
    try:
        print(f"wrote {paths.out}: {convert(paths.fer2013, paths.ferplus, paths.out)} pictures")  # noqa: T201 # the result
    except FacecliError as error:
        print(error, file=sys.stderr)  # noqa: T201 # the error
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
