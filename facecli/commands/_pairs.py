"""Labelled pairs through the pipeline: what `evaluate` and `calibrate` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facecli.commands import _work
from facecli.commands._options import Settings
from facecli.compare import closest
from facecli.contract import Metric
from facecli.evaluation import Rate
from facecli.pairs import Pair
from facecli.pipeline import ImageResult, Pipeline
from facecli.sources import single
from facecli.types import FloatArray

DIGITS = 6


class Faces:
    """The embeddings of the pictures, each of which goes through the pipeline once, and what failed."""

    def __init__(self, pipeline: Pipeline, root: Path, names: list[str], settings: Settings) -> None:
        self.embeddings: dict[str, FloatArray] = {}
        self.failed: list[ImageResult] = []
        self.several = 0
        results = pipeline.run(single(_path(root, name)) for name in names)
        for name, result in zip(names, _work.told(results, settings, len(names)), strict=True):
            self.several += result.found > 1
            if result.error is not None or result.embeddings is None:
                self.failed.append(result)
            else:
                self.embeddings[name] = result.embeddings


def _path(root: Path, name: str) -> str:
    path = str(root / name)
    return "./-" if path == "-" else path  # - alone would be stdin


def compared(listed: Sequence[Pair], embeddings: dict[str, FloatArray], metric: Metric) -> tuple[Any, Any]:
    """The distance of each pair, NaN where a picture gave no face, and whether it is of the same person."""
    import numpy as np

    distances = np.full(len(listed), np.nan)
    for index, pair in enumerate(listed):
        if pair.a in embeddings and pair.b in embeddings:
            distances[index] = closest(embeddings[pair.a], embeddings[pair.b], metric).distance
    return distances, np.array([pair.same for pair in listed])


def rate(measured: Rate | None) -> dict[str, Any] | None:
    """A rate as it appears in a document, with its 95 % interval."""
    if measured is None:
        return None
    interval = [round(end, DIGITS) for end in measured.interval]
    value = round(measured.value, DIGITS)
    return {"value": value, "count": measured.count, "total": measured.total, "interval": interval}
