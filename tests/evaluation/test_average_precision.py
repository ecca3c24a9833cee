"""Average precision against hand-made cases, and against a second implementation of the official steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.evaluation.average_precision import JudgedDetections, curve, judge

FACE = [10.0, 10.0, 20.0, 20.0]  # x, y, width, height
ON_FACE = [10.0, 10.0, 30.0, 30.0]  # xyxy
AWAY = [100.0, 100.0, 120.0, 120.0]


def judged(
    boxes: list[list[float]], scores: list[float], truth: list[list[float]], counts: list[int]
) -> JudgedDetections:
    rows, faces = (np.array(listed, float).reshape(-1, 4) for listed in (boxes, truth))
    return judge(rows, np.array(scores), faces, np.array(counts, int))


def ap(*pictures: JudgedDetections, faces: int) -> float:
    return curve(pictures, faces).average_precision()


def test_a_perfect_detector_has_one_and_a_blind_one_nothing() -> None:
    assert ap(judged([ON_FACE], [0.9], [FACE], [0]), faces=1) == 1
    assert ap(judged([], [], [FACE], [0]), faces=1) == 0
    assert ap(judged([AWAY], [0.9], [FACE], [0]), faces=1) == 0
    assert ap(faces=1) == 0
    assert ap(judged([ON_FACE], [0.9], [FACE], []), faces=0) == 0


def test_half_of_the_faces_found_is_half() -> None:
    assert ap(judged([ON_FACE], [0.9], [FACE, [60, 60, 9, 9]], [0, 1]), faces=2) == 0.5


def test_a_false_alarm_before_the_face_costs_half_and_one_behind_nothing() -> None:
    assert ap(judged([AWAY, ON_FACE], [0.9, 0.8], [FACE], [0]), faces=1) == 0.5
    assert ap(judged([ON_FACE, AWAY], [0.9, 0.8], [FACE], [0]), faces=1) == 1


def test_the_second_detection_of_a_face_is_a_false_alarm() -> None:
    one = judged([ON_FACE, ON_FACE, [59, 59, 71, 71]], [0.9, 0.8, 0.7], [FACE, [60, 60, 10, 10]], [0, 1])
    assert one.counted.tolist() == [True, True, True]
    assert one.face.tolist() == [0, -1, 1]
    assert ap(one, faces=2) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_a_face_outside_the_subset_is_neither_right_nor_wrong() -> None:
    one = judged([[60, 60, 70, 70], ON_FACE], [0.9, 0.8], [FACE, [60, 60, 10, 10]], [0])
    assert one.counted.tolist() == [False, True]
    assert ap(one, faces=1) == 1


def test_a_picture_without_faces_counts_for_nothing() -> None:
    assert judged([AWAY], [0.9], [], []).counted.tolist() == [False]
    assert ap(judged([AWAY], [0.99], [], []), judged([ON_FACE], [0.9], [FACE], [0]), faces=1) == 1


def test_the_closest_face_decides_even_if_another_would_count() -> None:
    inner = [12.0, 12.0, 16.0, 16.0]  # overlaps the detection by more than half as well
    one = judged([ON_FACE], [0.9], [inner, FACE], [0])
    assert (one.counted.tolist(), one.face.tolist()) == ([False], [-1])


@pytest.mark.parametrize(("right", "same"), [(20.0, True), (19.0, False)])
def test_half_overlap_is_enough_and_the_last_pixel_counts(right: float, same: bool) -> None:
    """A face of 21 x 21 pixels, and 11 of its 21 columns: 0.5238; 10 of them: 0.476."""
    one = judged([[10.0, 10.0, right, 30.0]], [0.9], [FACE], [0])
    assert (one.face.tolist() == [0]) is same


def test_scores_are_stretched_over_the_set_before_the_thousand_thresholds() -> None:
    """All between 0.5 and 0.5004: without stretching they would fall between two thresholds."""
    pictures = [
        judged([ON_FACE], [0.5004], [FACE], [0]),
        judged([AWAY], [0.5002], [FACE], [0]),
        judged([ON_FACE], [0.5], [FACE], [0]),
    ]
    assert ap(*pictures, faces=3) == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)


def test_figures_at_a_threshold_and_at_the_best_one() -> None:
    one = judged([ON_FACE, AWAY, [59, 59, 71, 71], AWAY], [0.9, 0.8, 0.7, 0.1], [FACE, [60, 60, 10, 10]], [0, 1])
    whole = curve([one], 2)
    point = whole.at(0.7)
    assert (point.precision, point.recall, point.f1) == (pytest.approx(2 / 3), 1, 0.8)
    assert whole.at(0.85).precision == 1
    nothing = whole.at(0.95)
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, 0, 0)
    best = whole.best()
    assert best is not None
    assert (best.threshold, best.f1) == (0.7, 0.8)
    assert curve([], 3).best() is None


def test_equal_scores_stand_or_fall_together() -> None:
    one = judged([ON_FACE, AWAY, AWAY], [0.9, 0.9, 0.9], [FACE], [0])
    best = curve([one], 1).best()
    assert best is not None
    assert best.precision == pytest.approx(1 / 3)


Picture = tuple[list[list[float]], list[float], list[list[float]], list[int]]


def official(pictures: list[Picture]) -> float:
    """WIDER FACE's evaluation, step by step as its MATLAB code takes them, slowly."""
    faces = sum(len(counts) for *_, counts in pictures)
    scores = [score for _, own, _, _ in pictures for score in own]
    if not scores or not faces:
        return 0.0
    low, high = min(scores), max(scores)
    proposals, recalls = [0] * 1000, [0] * 1000
    for boxes, own, truth, counts in pictures:
        if not truth or not boxes:
            continue
        order = sorted(range(len(own)), key=lambda k: -own[k])
        proposed, recalled = matched([boxes[k] for k in order], truth, counts)
        stretched = [(own[k] - low) / (high - low) if high > low else 1.0 for k in order]
        for t in range(1000):
            last = max((i for i, score in enumerate(stretched) if score >= 1 - (t + 1) / 1000), default=None)
            if last is not None:
                proposals[t] += sum(value == 1 for value in proposed[: last + 1])
                recalls[t] += recalled[last]
    recall = [0.0, *(r / faces for r in recalls), 1.0]
    precision = [0.0, *(r / p if p else 0.0 for r, p in zip(recalls, proposals, strict=True)), 0.0]
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    return sum((recall[i] - recall[i - 1]) * precision[i] for i in range(1, len(recall)))


def matched(boxes: list[list[float]], truth: list[list[float]], counts: list[int]) -> tuple[list[int], list[int]]:
    """For each detection, best first: -1 where it is ignored, and how many faces are found by then."""
    state, recalled, proposed = [0] * len(truth), [], []
    for box in boxes:
        ious = [iou(box, face) for face in truth]
        best = max(range(len(truth)), key=ious.__getitem__)
        proposed.append(1)
        if ious[best] >= 0.5:
            if best not in counts:
                state[best] = proposed[-1] = -1
            elif state[best] == 0:
                state[best] = 1
        recalled.append(sum(value == 1 for value in state))
    return proposed, recalled


def iou(box: list[float], face: list[float]) -> float:
    x1, y1, x2, y2 = box
    fx1, fy1, fx2, fy2 = face[0], face[1], face[0] + face[2], face[1] + face[3]
    width, height = min(x2, fx2) - max(x1, fx1) + 1, min(y2, fy2) - max(y1, fy1) + 1
    if width <= 0 or height <= 0:
        return 0.0
    both = (x2 - x1 + 1) * (y2 - y1 + 1) + (fx2 - fx1 + 1) * (fy2 - fy1 + 1)
    return width * height / (both - width * height)


PLACE = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 25), st.integers(1, 25))
SCORE = st.integers(0, 1000).map(lambda n: n / 1000)


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(PLACE, SCORE), max_size=8),
            st.lists(st.tuples(PLACE, st.booleans()), max_size=5),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_it_is_what_the_official_steps_give(drawn: list[tuple[list, list]]) -> None:
    pictures = []
    for found, faces in drawn:
        boxes = [[float(x), float(y), float(x + w), float(y + h)] for (x, y, w, h), _ in found]
        truth = [[float(v) for v in place] for place, _ in faces]
        counts = [index for index, (_, own) in enumerate(faces) if own]
        pictures.append((boxes, [score for _, score in found], truth, counts))
    faces = sum(len(counts) for *_, counts in pictures)
    ours = ap(*(judged(*picture) for picture in pictures), faces=faces)
    assert ours == pytest.approx(official(pictures), abs=1e-12)
