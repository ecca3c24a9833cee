"""Labelled pairs through the pipeline: what `evaluate` and `calibrate` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.cli import progress
from facecli.cli import settings as settings_module
from facecli.cli.settings import Settings
from facecli.contract import Metric
from facecli.evaluation.pairs import Pair
from facecli.matching.closest import closest
from facecli.pictures.sources import single
from facecli.pipeline.results import ImageResult
from facecli.pipeline.river import Pipeline
from facecli.types import FloatArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facecli.evaluation.ground_truth import TrueFaces


class Faces:
    """The embeddings of the pictures, each of which goes through the pipeline once, and what failed."""

    def __init__(self, pipeline: Pipeline, root: Path, names: list[str], settings: Settings) -> None:
        self.embeddings: dict[str, FloatArray] = {}
        self.failed: list[ImageResult] = []
        self.several = 0
        results = pipeline.run(single(_path(root, name)) for name in names)
        for name, result in zip(names, progress.told(results, settings, len(names)), strict=True):
            self.several += result.faces_found > 1
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


class _Found:
    """What the detector found in each picture, and what failed."""

    def __init__(
        self, pipeline: Pipeline, root: Path, pictures: Mapping[str, TrueFaces], settings: settings_module.Settings
    ) -> None:
        from facecli.cli import progress
        from facecli.pictures.sources import single

        self.results: dict[str, ImageResult] = {}
        self.failed: list[ImageResult] = []
        results = pipeline.run(single(str(root / name)) for name in pictures)
        for name, result in zip(pictures, progress.told(results, settings, len(pictures)), strict=True):
            if result.error is not None:
                self.failed.append(result)
            self.results[name] = result
        self.milliseconds = pipeline.clock.seconds.get("detect", 0.0) * 1e3 / len(pictures)
