"""The verdict about two pictures: by one recognizer, by several, and with a check for prints and screens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from facecli.contract import CropSpec, OperatingPoint, RecognizerPlugin
from facecli.errors import NoFaceError
from facecli.matching.thresholds import DecisionRule
from facecli.matching.verification import verify
from facecli.pipeline.results import AttributeRows, ImageResult

POINT = OperatingPoint("cosine", 0.5, "a test")
BY_COSINE = DecisionRule("cosine", 0.5, "a test", 0.01)
BY_LENGTH = DecisionRule("euclidean", 2.0, "another test")


@dataclass(frozen=True)
class Tools:
    """The part of a toolbox that a verification looks at."""

    recognizer_plugins: tuple[RecognizerPlugin, ...]


def tools(*names: str) -> Any:
    return Tools(
        tuple(RecognizerPlugin(name, "", lambda *_: None, CropSpec(8, 8), 2, False, POINT) for name in names)  # type: ignore[arg-type,return-value]
    )


def picture(source: str, *faces: list[float], more: tuple[list[list[float]], ...] = (), **fields: Any) -> ImageResult:
    """A picture whose faces have these embeddings by a first recognizer, and `more` by the others."""
    rows = np.array(faces, np.float32)
    further = tuple(np.array(embeddings, np.float32) for embeddings in more)
    indices = tuple(range(len(faces)))
    return ImageResult(source, indices=indices, embeddings=rows, further_embeddings=further, **fields)


def test_the_closest_faces_of_two_pictures_decide() -> None:
    first, second = picture("a", [0, 1], [1, 0]), picture("b", [-1, 0], [1, 0.1], [0, -1])
    answer = verify(tools("x"), [first, second], [BY_COSINE])
    assert (answer.verified, answer.rows, answer.results) == (True, (1, 1), (first, second))
    assert answer.distance == pytest.approx(1 - 1 / np.sqrt(1.01))
    assert answer.similarity == pytest.approx(1 / np.sqrt(1.01))
    assert answer.margin == pytest.approx(0.5 - answer.distance)
    assert (answer.metric, answer.threshold, answer.threshold_source, answer.fmr) == ("cosine", 0.5, "a test", 0.01)
    (decision,) = answer.decisions
    assert (decision.recognizer, decision.verified, decision.margin) == ("x", True, answer.margin)


def test_two_people_have_a_negative_margin() -> None:
    answer = verify(tools("x"), [picture("a", [0, 1]), picture("b", [1, 0])], [BY_COSINE])
    assert (answer.verified, answer.distance, answer.margin) == (False, 1, -0.5)


def test_several_recognizers_decide_by_the_mean_of_distance_by_threshold() -> None:
    first, second = picture("a", [1, 0], more=([[3, 0]],)), picture("b", [0, 1], more=([[3, 0.8]],))
    answer = verify(tools("x", "y"), [first, second], [BY_COSINE, BY_LENGTH])
    assert [(one.recognizer, one.verified) for one in answer.decisions] == [("x", False), ("y", True)]
    assert [one.distance for one in answer.decisions] == [1, pytest.approx(0.8)]
    assert (answer.metric, answer.threshold, answer.similarity, answer.fmr) == ("fused", 1, None, None)
    assert answer.distance == pytest.approx((1 / 0.5 + 0.8 / 2) / 2)
    assert answer.verified is False


@pytest.mark.parametrize(("real", "passed"), [(0.5, True), (0.49, False)])
def test_a_face_that_looks_like_a_print_is_not_verified(real: float, passed: bool) -> None:
    def spoof(*scores: float) -> tuple[AttributeRows, ...]:
        rows = np.array([[1 - score, score] for score in scores], np.float32)
        return (AttributeRows("spoof", ("fake", "real"), 0.0, rows),)

    first = picture("a", [0, 1], [1, 0], attributes=spoof(0.1, 0.9))
    second = picture("b", [1, 0], attributes=spoof(real))
    answer = verify(tools("x"), [first, second], [BY_COSINE], anti_spoof=True)
    assert answer.anti_spoof is not None
    assert answer.anti_spoof.scores == pytest.approx((0.9, real))  # of the faces that were compared
    assert (answer.verified, answer.anti_spoof.passed) == (passed, passed)
    assert answer.margin > 0
    assert answer.decisions[0].verified is True


def test_the_first_error_of_the_pictures_is_raised() -> None:
    errors = [NoFaceError("no face found in b"), NoFaceError("no face found in c")]
    failures = [ImageResult(source, error=error) for source, error in zip("bc", errors, strict=True)]
    with pytest.raises(NoFaceError, match="in b"):
        verify(tools("x"), [picture("a", [0, 1]), failures[0]], [BY_COSINE])
    with pytest.raises(NoFaceError, match="in b"):
        verify(tools("x"), failures, [BY_COSINE])
