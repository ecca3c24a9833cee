"""How long files take side by side; told in the report, never judged."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facecli.export.proof.cases import Case

ROUNDS = 9
BATCHES = (1, 8)


def measure(paths: Mapping[str, Path], names: Sequence[str], cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Median milliseconds of one run, taken in turns, on one thread of the CPU: file kind -> batch -> ms."""
    from facecli.inference.session import open_session

    sessions = {kind: open_session(path, device="cpu", threads=1) for kind, path in paths.items()}
    told: dict[str, dict[str, float]] = {kind: {} for kind in paths}
    for batch in BATCHES:
        fitting = [one for one in cases if len(one.inputs[0]) == batch]
        if not fitting:  # the batch axis is fixed
            continue
        case = fitting[-1]  # portraits, where there are any
        feeds = dict(zip(names, case.inputs, strict=True))
        seconds: dict[str, list[float]] = {kind: [] for kind in paths}
        for turn in range(1 + ROUNDS):
            for kind, session in sessions.items():
                start = time.perf_counter()
                session.run(feeds)
                if turn:
                    seconds[kind].append(time.perf_counter() - start)
        for kind, values in seconds.items():
            told[kind][str(batch)] = round(statistics.median(values) * 1000, 4)
    return told
