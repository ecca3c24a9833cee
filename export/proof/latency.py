"""Milliseconds that the files of a network take, measured in turns. They are reported and never judged."""

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


def measure(paths: Mapping[str, Path], inputs: Sequence[str], cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Return file kind -> batch size -> median ms of one run, on one thread of the CPU.

    paths: files by kind; they run in turns, so that a busy moment of the machine hits all of them. inputs: the
    network's input names. cases: a batch size without a case is left out.
    """
    from facecli.inference.session import open_session

    sessions = {kind: open_session(path, device="cpu", threads=1) for kind, path in paths.items()}
    medians: dict[str, dict[str, float]] = {kind: {} for kind in paths}
    for batch in BATCHES:
        fitting = [case for case in cases if len(case.inputs[0]) == batch]
        if not fitting:  # the batch axis is fixed
            continue
        feeds = dict(zip(inputs, fitting[-1].inputs, strict=True))  # real crops, where there are any
        seconds: dict[str, list[float]] = {kind: [] for kind in paths}
        for turn in range(1 + ROUNDS):
            for kind, session in sessions.items():
                start = time.perf_counter()
                session.run(feeds)
                if turn:  # the first run warms up
                    seconds[kind].append(time.perf_counter() - start)
        for kind, values in seconds.items():
            medians[kind][str(batch)] = round(statistics.median(values) * 1000, 4)
    return medians
