"""The names of many people as one piece of UTF-8, of which only those are decoded that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class NameTable(Mapping[int, str]):
    """Names by the ids of N people.

    people: (N,) int64, ascending. ends: (N,) int64, where each name ends in `letters`, UTF-8 as uint8, and the next
    begins.
    """

    people: NDArray[np.int64]
    ends: NDArray[np.int64]
    letters: NDArray[np.uint8]

    def __getitem__(self, person: int) -> str:
        place = int(np.searchsorted(self.people, person))
        if place == len(self.people) or self.people[place] != person:
            raise KeyError(person)
        start = int(self.ends[place - 1]) if place else 0
        return self.letters[start : int(self.ends[place])].tobytes().decode()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.people.tolist())

    def __len__(self) -> int:
        return len(self.people)
