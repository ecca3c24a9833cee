"""Answers in the fields of deepface's server, https://github.com/serengil/deepface: represent, verify and analyze.

Detector and recognizer are this server's; a request's model_name and detector_backend do not change them, and the
answer of `verify` tells which ran.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from facecli.errors import NoFaceError, UsageError
from facecli.output import records
from facecli.output.records import Record
from facecli.pictures.sources import Source
from facecli.pipeline.results import ImageResult
from facecli.server.compat.demography import area, confidence, demography
from facecli.server.looks import Looks, Sift, decision

METRICS = {"cosine": "cosine", "euclidean": "euclidean", "euclidean_l2": "euclidean_l2"}
ACTIONS = ("age", "gender", "race", "emotion")


class DeepFaceAnswers:
    """Answers requests. Everything here works in a thread of the queue."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks

    def represent(self, picture: Source, most: int | None, *, enforce: bool) -> Record:
        """Return the embedding of each face. most: faces, the surest first. enforce: no face is an error."""
        result = self._seen(picture, (), enforce=enforce)
        assert result.embeddings is not None
        rows = range(len(result.indices))[:most]
        return {
            "results": [
                {
                    "embedding": records.embedding(result.embeddings[row]),
                    "facial_area": area(result, row),
                    "face_confidence": confidence(result, row),
                }
                for row in rows
            ]
        }

    def verify(self, first: Source, second: Source, metric: str, threshold: float | None) -> Record:
        """Return whether two pictures show the same person."""
        if metric not in METRICS:
            raise UsageError(f"there is no distance_metric {metric!r:.40}", hint=f"use {', '.join(METRICS)}")
        begun = time.monotonic()
        judge = self._looks.faces.judge(decision(METRICS[metric], threshold, None), None)
        verification = judge.pair(first, second)
        areas = [area(result, row) for result, row in zip(verification.results, verification.rows, strict=True)]
        detector, recognizer = judge.tools.detector_plugin, judge.tools.recognizer_plugin
        return {
            "verified": verification.verified,
            "distance": round(verification.distance, 6),
            "threshold": verification.threshold,
            "model": None if recognizer is None else recognizer.name,
            "detector_backend": "skip" if detector is None else detector.name,
            "similarity_metric": metric,
            "facial_areas": {"img1": areas[0], "img2": areas[1]},
            "time": round(time.monotonic() - begun, 2),
        }

    def analyze(self, picture: Source, actions: Sequence[str], *, enforce: bool) -> Record:
        """Return what is told of each face; shares are in percent, as deepface has them."""
        for action in actions:
            if action not in ACTIONS:
                raise UsageError(f"there is no action {action!r:.40}", hint=f"use {', '.join(ACTIONS)}")
        result = self._seen(picture, sorted(set(actions)), enforce=enforce)
        return {"results": [demography(result, row, actions) for row in range(len(result.indices))]}

    def _seen(self, picture: Source, attributes: Sequence[str], *, enforce: bool) -> ImageResult:
        """Return a picture with its faces; without any the whole picture is one, unless that is an error."""
        request = self._looks.faces.engine.request(attributes, embed=not attributes)
        try:
            return self._looks.look(picture, request, Sift("all", require_face=True))
        except NoFaceError:
            if enforce:
                raise
        return self._looks.look(picture, request, Sift(), detect=False)
