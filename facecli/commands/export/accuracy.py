"""What `export` does with the user's pictures: faces to calibrate and to prove on, and the accuracy of two files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.cli.settings import Settings
from facecli.commands.export.samples import _detected

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.evaluation.recognition import Evaluation
    from facecli.inference.session import OnnxSession
    from facecli.types import FloatArray, UInt8Array


AT_ONCE = 16  # crops
DIGITS = 6


class Judge:
    """Measures the accuracy of recognizer files on labelled pairs; the faces are found and cut once for all files.

    Raises UsageError, before any work, for a list that can not be read or a model that is no described recognizer.
    """

    def __init__(self, listed: Path, root: Path, spec: ModelSpec | None, settings: Settings) -> None:
        from facecli.errors import UsageError
        from facecli.evaluation import pairs

        ready = spec is not None and spec.kind == "recognizer" and spec.crop and spec.preprocessing
        if spec is None or not (ready and spec.operating_point):
            raise UsageError("--evaluate is for recognizers that the catalogue describes", hint="leave it out")
        with listed.open(encoding="utf-8-sig", errors="surrogateescape") as stream:
            self._pairs = pairs.read(pairs.lines_of(stream, str(listed)), str(listed))
        self._root, self._spec, self._settings = root, spec, settings

    def __call__(self, paths: Mapping[str, Path]) -> dict[str, Any]:
        """File kind -> figures, and what they rest on."""
        import numpy as np

        from facecli.evaluation import recognition
        from facecli.inference.session import open_session
        from facecli.matching import metrics
        from facecli.system.cores import available_cores

        spec = self._spec
        point = spec.operating_point
        assert point is not None
        sessions = {kind: open_session(path, threads=available_cores()) for kind, path in paths.items()}
        names, rows = self._embed(sessions)
        place = {name: index for index, name in enumerate(names)}
        same = np.array([pair.same for pair in self._pairs])
        told = {}
        for kind, own in rows.items():
            distances = np.full(len(same), np.nan)
            for index, pair in enumerate(self._pairs):
                if pair.a in place and pair.b in place:
                    a, b = own[place[pair.a]][None], own[place[pair.b]][None]
                    distances[index] = metrics.distance(a, b, point.metric)[0]
            told[kind] = _figures(recognition.evaluate(distances, same, point.threshold))
        rests_on = {"metric": point.metric, "threshold": point.threshold, "face": self._settings.face}
        return rests_on | {"pairs": len(same), "pictures": len(names), "files": told}

    def _embed(self, sessions: Mapping[str, OnnxSession]) -> tuple[list[str], dict[str, FloatArray]]:
        import numpy as np

        from facecli.crops import cutting
        from facecli.pictures.sources import single

        wanted = list(dict.fromkeys(name for pair in self._pairs for name in (pair.a, pair.b)))
        results = _detected(
            (single(f"{self._root}{os.sep}{name}") for name in wanted), self._settings, self._settings.face, len(wanted)
        )
        names: list[str] = []
        rows: dict[str, list[FloatArray]] = {kind: [] for kind in sessions}
        waiting: list[UInt8Array] = []
        assert self._spec.crop is not None
        for name, result in zip(wanted, results, strict=True):
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
        """Embed what waits with each session, and let nothing wait."""
        import numpy as np

        from facecli.crops.preprocess import to_input

        if not waiting:
            return
        assert self._spec.preprocessing is not None
        pixels = to_input(np.concatenate(waiting), self._spec.preprocessing)
        waiting.clear()
        for kind, session in sessions.items():
            (output, *_) = session.run({next(iter(session.input_shapes)): pixels}).values()
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
