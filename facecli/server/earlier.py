"""The answers of the projects that facecli was made of, in their own fields and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from facecli.errors import FacecliError, UsageError
from facecli.output.records import SCORE_DIGITS, embedding
from facecli.output.verifications import DIGITS
from facecli.pictures.sources import Source
from facecli.server.downloads import Downloads
from facecli.server.looks import Looks, Sift, decision
from facecli.server.remote import Remote
from facecli.types import Limits

DOWNLOADED = {"success": True, "message": "Image downloaded successfully"}
NOT_DOWNLOADED = {"success": False, "message": "Failed to download image. Check the URL and try again."}
SAME = {"verified": True, "message": "Images are of the same person"}
DIFFERENT = {"verified": False, "message": "Images are of different persons"}
BEST = Sift("score")


class Earlier:
    """Answers as those projects did. Everything here works in a thread of the queue."""

    def __init__(self, looks: Looks, remote: Remote, downloads: Downloads) -> None:
        self._looks, self._remote, self._downloads = looks, remote, downloads

    def download(self, url: str) -> dict[str, Any]:
        """Fetch a picture and keep it; `path` is the name that verify_similarity takes."""
        try:
            data = self._remote.fetch(url, Limits())
        except FacecliError as error:
            return NOT_DOWNLOADED | {"error": error.as_dict()}
        return DOWNLOADED | {"path": self._downloads.keep(data)}

    def similarity(self, first: str, second: str) -> dict[str, Any]:
        """Compare two pictures that were downloaded."""
        judge = self._looks.faces.judge(decision(None, None, None), None)
        verification = judge.pair(self._downloads.source(first), self._downloads.source(second))
        numbers = {"distance": round(verification.distance, DIGITS), "threshold": verification.threshold}
        return (SAME if verification.verified else DIFFERENT) | numbers

    def emotion(self, picture: Source, labels: Sequence[str], *, detect: bool, embed: bool) -> dict[str, Any]:
        """Tell the emotions of the surest face. labels: the only ones to tell; empty for all.

        detect: False takes the whole picture as a face. embed: whether to tell the face's embedding, too.
        """
        engine = self._looks.faces.engine
        request = engine.request(("emotion",), embed=embed)
        tools = engine.tools(request, strict=False)
        known = tools.attribute_plugins[0].labels
        if unknown := [label for label in labels if label not in known]:
            raise UsageError(f"there is no emotion {unknown[0]:.40}", hint=f"there is {', '.join(known)}")
        result = self._looks.look(picture, request, BEST if detect else Sift(), detect=detect)
        if not result.indices:
            return {"emotions": {}, "face_detected": False} | ({"face_embedding": None} if embed else {})
        probabilities = dict(zip(known, map(float, result.attributes[0].rows[0]), strict=True))
        shown = {label: round(probabilities[label], SCORE_DIGITS) for label in known if not labels or label in labels}
        document: dict[str, Any] = {"emotions": shown, "face_detected": detect}
        if embed and result.embeddings is not None:
            document["face_embedding"] = embedding(result.embeddings[0])
        return document

    def recognition(self, picture: Source) -> dict[str, Any]:
        """Tell the name of the largest face's person, and those of all faces."""
        search = self._looks.search()
        result = self._looks.recognised(picture, Sift())
        faces = []
        for row, answer in enumerate(search.answers(result)):
            assert result.detections is not None
            box = [round(float(value), 2) for value in result.detections.bboxes[row]]
            distance = round(answer.candidates[0].distance, DIGITS) if answer.candidates else None
            faces.append({"name": answer.person, "bbox": box, "distance": distance})
        largest = max(faces, key=_area, default={"name": None})
        return {"result": largest["name"] or "unknown", "faces": faces}


def _area(face: dict[str, Any]) -> float:
    x1, y1, x2, y2 = face["bbox"]
    return float((x2 - x1) * (y2 - y1))
