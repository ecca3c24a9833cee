"""The analysis of a film as `facecli track` writes it with its frames, and as a person may have edited it.

Of a document facecli.track/1 these are read, and nothing else: `choice`; the name and threshold of `detector`; of each
film `source`, `width`, `height`, `bytes`, `first_frame`, `by_frame` with `time` and `faces` (`track`, `bbox`, and if
they are there `score` and `landmarks`), and `tracks` with `track`, `joined_into` and `person.name`. A box may be added
or taken away, a name corrected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from facecli.anonymise.analysis import Analysis, Origin, Sight
from facecli.errors import InputError
from facecli.system import strict_json
from facecli.system.files import read_whole, require_file
from facecli.types import FloatArray

SCHEMA = "facecli.track/1"
MOST_BYTES = 2**28  # hours of a film with a few faces in each frame
MOST_PIXELS = 1e6  # of a coordinate: beyond lies no picture


class _WrongError(ValueError):
    """Something in a document is not as it must be. The message says where."""


def read(path: Path) -> dict[str, Analysis]:
    """Return the analyses in a document by the names of their films. Raises UsageError, InputError."""
    require_file(path)
    try:
        document = strict_json.loads(read_whole(path, MOST_BYTES))
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise _WrongError(f"its schema is not {SCHEMA}")
        films = _list(document, "films", "it")
        found = {"left_out": _left_out(document), **_detector(document)}
        return {str(film.get("source")): _film(film, f"film {number}", found) for number, film in enumerate(films)}
    except (ValueError, RecursionError, OSError) as error:
        hint = "write it by `facecli track FILM --frames --json -o FILE`"
        raise InputError(f"{path} is no analysis of films: {error}", hint=hint) from error


def _film(film: Mapping[str, Any], place: str, found: Mapping[str, Any]) -> Analysis:
    if film.get("error") is not None:
        raise _WrongError(f"{place} could not be read to its end")
    if "by_frame" not in film:
        raise _WrongError(f"{place} has no by_frame: it was written without the faces of each frame")
    analysis = Analysis(origin=replace(_origin(film), **found))
    for number, frame in enumerate(_list(film, "by_frame", place)):
        at = f"frame {number} of {place}"
        time = _number(frame.get("time"), f"the time of {at}")
        if analysis.times and time <= analysis.times[-1]:
            raise _WrongError(f"the time of {at} is not later than the one before")
        sights = [_sight(face, number, at) for face in _list(frame, "faces", at)]
        if len({track for track, _ in sights}) < len(sights):
            raise _WrongError(f"{at} has two faces of one track")
        analysis.add(time, sights)
    for track in _list(film, "tracks", place):
        number = _track(track, f"a track of {place}")
        if track.get("joined_into") is not None:
            analysis.into[number] = _track(track, f"track {number}", "joined_into")
        person = track.get("person")
        name = person.get("name") if isinstance(person, dict) else None
        if name is not None:
            analysis.names[number] = frozenset((str(name),))
    return analysis


def _origin(film: Mapping[str, Any]) -> Origin:
    width, height, size = (
        value if isinstance(value, int) else None for value in map(film.get, ("width", "height", "bytes"))
    )
    first = film.get("first_frame")
    return Origin(str(film.get("source")), width, height, size, None if first is None else str(first))


def _detector(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the detector's name, and the score from which on it told faces; None where the document has none."""
    detector = document.get("detector")
    if not isinstance(detector, dict):
        return {}
    parameters = detector.get("parameters")
    value = parameters.get("score_threshold") if isinstance(parameters, dict) else None
    score = None if value is None else _number(value, "the score_threshold of its detector")
    return {"detector": str(detector.get("plugin")), "min_score": score}


def _left_out(document: Mapping[str, Any]) -> str:
    """Return in words which of the faces that the detector found were not followed; empty if all were."""
    choice = document.get("choice")
    if not isinstance(choice, dict):
        return ""
    face, least = choice.get("face", "all"), choice.get("min_face_size")
    words = [] if face == "all" else [f"all faces but those of the choice {face}"]
    return " and ".join([*words, *([f"those below {least} px"] if least else [])])


def _sight(face: Mapping[str, Any], frame: int, at: str) -> tuple[int, Sight]:
    place = f"a face of {at}"
    bbox = _array(face.get("bbox"), (4,), f"the bbox of {place}")
    if not (bbox[:2] < bbox[2:]).all():
        raise _WrongError(f"the bbox of {place} is empty")
    score = _number(face.get("score", 1.0), f"the score of {place}")
    points = face.get("landmarks")
    landmarks = None if points is None else _array(points, (5, 2), f"the landmarks of {place}")
    return _track(face, place), Sight(frame, bbox, min(max(score, 0.0), 1.0), landmarks)


def _list(record: Mapping[str, Any], key: str, place: str) -> list[Mapping[str, Any]]:
    value = record.get(key)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _WrongError(f"the {key} of {place} are no list of objects")
    return value


def _track(record: Mapping[str, Any], place: str, key: str = "track") -> int:
    value = record.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise _WrongError(f"the {key} of {place} is no number of a track")
    return value


def _number(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _WrongError(f"{place} is no number")
    return float(value)


def _array(value: object, shape: tuple[int, ...], place: str) -> FloatArray:
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape != shape or not (np.abs(array) < MOST_PIXELS).all():
        raise _WrongError(f"{place} is not {' x '.join(map(str, shape))} numbers in px")
    return array.astype(np.float32)
