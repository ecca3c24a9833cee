"""The accuracy of recognizer files on labelled pairs, before and after an export changes them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facecli.commands.export.samples import FaceFinder
    from facecli.contract import ModelSpec
    from facecli.evaluation.recognition import Evaluation
    from facecli.inference.session import OnnxSession
    from facecli.types import FloatArray, UInt8Array


AT_ONCE = 16  # crops that go through a model together
DIGITS = 6  # decimals of a rate or threshold


class Judge:
    """Measures the accuracy of recognizer files on labelled pairs; the faces are found and cut once for all files.

    Raises UsageError, before any work, for a list that can not be read or a model that is no described recognizer.
    """

    def __init__(self, pairs_file: Path, root: Path, spec: ModelSpec | None, finder: FaceFinder) -> None:
        from facecli.errors import UsageError
        from facecli.evaluation import pairs

        ready = spec is not None and spec.kind == "recognizer" and spec.crop and spec.preprocessing
        if spec is None or not (ready and spec.operating_point):
            raise UsageError("--evaluate is for recognizers that the catalogue describes", hint="leave it out")
        with pairs_file.open(encoding="utf-8-sig", errors="surrogateescape") as stream:
            self._pairs = pairs.read_stream(stream, str(pairs_file))
        self._root, self._spec, self._finder = root, spec, finder

    def __call__(self, paths: Mapping[str, Path]) -> dict[str, Any]:
        """Return the figures of each file, by its kind, and what they rest on. paths: file kind -> ONNX file."""
        from facecli.evaluation import labelled, recognition
        from facecli.inference.session import open_session
        from facecli.system.cores import available_cores

        point = self._spec.operating_point
        assert point is not None
        sessions = {kind: open_session(path, threads=available_cores()) for kind, path in paths.items()}
        names, embeddings = self._embed(sessions)
        figures = {}
        for kind, rows in embeddings.items():
            by_picture = {name: row[None] for name, row in zip(names, rows, strict=True)}
            distances, same = labelled.compare(self._pairs, by_picture, point.metric)
            figures[kind] = _figures(recognition.evaluate(distances, same, point.threshold))
        basis = {"metric": point.metric, "threshold": point.threshold, "face": self._finder.plugins.face}
        return basis | {"pairs": len(self._pairs), "pictures": len(names), "files": figures}

    def _embed(self, sessions: Mapping[str, OnnxSession]) -> tuple[list[str], dict[str, FloatArray]]:
        """Return the names of the pictures that have a face, and by file kind their embeddings, (N, dim)."""
        import numpy as np

        from facecli.crops import cutting
        from facecli.evaluation.pairs import pictures_of
        from facecli.pictures.sources import single

        pictures = pictures_of(self._pairs)
        sources = (single(f"{self._root}{os.sep}{name}") for name in pictures)
        results = self._finder.detect(sources, self._finder.plugins.face, len(pictures))
        names: list[str] = []
        rows: dict[str, list[FloatArray]] = {kind: [] for kind in sessions}
        waiting: list[UInt8Array] = []
        assert self._spec.crop is not None
        for name, result in zip(pictures, results, strict=True):
            if result.error is None and result.image is not None and result.detections is not None:
                names.append(name)
                waiting.append(cutting.cut(result.image, result.detections.select([0]), self._spec.crop))
            if len(waiting) == AT_ONCE:
                self._run(sessions, waiting, rows)
        self._run(sessions, waiting, rows)
        empty = np.zeros((0, self._spec.dim or 0), np.float32)
        return names, {kind: np.concatenate([empty, *parts]) for kind, parts in rows.items()}

    def _run(
        self, sessions: Mapping[str, OnnxSession], waiting: list[UInt8Array], rows: dict[str, list[FloatArray]]
    ) -> None:
        """Embed the waiting crops with each session, append the rows, and empty the list of crops."""
        import numpy as np

        from facecli.crops.preprocess import to_input

        if not waiting:
            return
        assert self._spec.preprocessing is not None
        pixels = to_input(np.concatenate(waiting), self._spec.preprocessing)
        waiting.clear()
        for kind, session in sessions.items():
            (output, *_) = session.run({next(iter(session.input_shapes)): pixels}).values()
            # As facecli.plugins.recognizers.catalogued does, which loads installed models alone.
            if self._spec.normalized:
                output = output / np.maximum(np.linalg.norm(output, axis=1, keepdims=True), 1e-12)
            rows[kind].append(output)


def _figures(result: Evaluation) -> dict[str, Any]:
    folds = result.cross_validation
    return {
        "accuracy": round(result.accuracy.value, DIGITS),
        "best_accuracy": round(result.best_accuracy.value, DIGITS),
        "best_threshold": None if result.useful_threshold is None else round(result.useful_threshold, DIGITS),
        "folds_accuracy": folds and round(folds.accuracy, DIGITS),
        "eer": result.roc and round(result.roc.eer, DIGITS),
    }
