"""The decoders against their formulas, written out anchor by anchor, on random outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from facecli.models import catalogue
from facecli.plugins.detectors import retinaface, scrfd, yolov5_face, yolov8_face, yunet
from facecli.plugins.single_shot.family import Family
from facecli.types import FloatArray

CANVAS = (64, 96)
STRIDES = (8, 16, 32)
LEAST = 0.55
Face = tuple[float, list[float], list[float]]  # score, box, ten landmark numbers


def cells(stride: int) -> Iterator[tuple[int, int, int]]:
    for y in range(CANVAS[0] // stride):
        for x in range(CANVAS[1] // stride):
            yield y * (CANVAS[1] // stride) + x, x, y


def numbers(*shape: int, scale: float = 1.0) -> FloatArray:
    return np.random.default_rng(sum(shape)).normal(0, scale, shape).astype(np.float32)


def logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def for_scrfd() -> tuple[list[FloatArray], list[Face]]:
    sizes = [CANVAS[0] * CANVAS[1] // s**2 * 2 for s in STRIDES]
    scores = [np.random.default_rng(n).uniform(0, 1, (n, 1)).astype(np.float32) for n in sizes]
    boxes, points = [numbers(n, 4) for n in sizes], [numbers(n, 10) for n in sizes]
    faces = []
    for level, s in enumerate(STRIDES):
        for cell, x, y in cells(s):
            for row in (2 * cell, 2 * cell + 1):
                left, top, right, bottom = boxes[level][row] * s
                corner = (x * s, y * s)
                moved = [corner[k % 2] + float(v) * s for k, v in enumerate(points[level][row])]
                box = [corner[0] - left, corner[1] - top, corner[0] + right, corner[1] + bottom]
                faces.append((float(scores[level][row, 0]), box, moved))
    return [*scores, *boxes, *points], faces


def for_yunet() -> tuple[list[FloatArray], list[Face]]:
    sizes = [CANVAS[0] * CANVAS[1] // s**2 for s in STRIDES]
    classes, objects = ([np.random.default_rng(n + k).uniform(-0.1, 1.1, (n, 1)) for n in sizes] for k in (0, 1))
    boxes, points = [numbers(n, 4) for n in sizes], [numbers(n, 10) for n in sizes]
    faces = []
    for level, s in enumerate(STRIDES):
        for cell, x, y in cells(s):
            score = math.sqrt(min(max(classes[level][cell, 0], 0), 1) * min(max(objects[level][cell, 0], 0), 1))
            dx, dy, dw, dh = map(float, boxes[level][cell])
            cx, cy, w, h = (x + dx) * s, (y + dy) * s, math.exp(dw) * s, math.exp(dh) * s
            moved = [((x, y)[k % 2] + float(v)) * s for k, v in enumerate(points[level][cell])]
            faces.append((score, [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], moved))
    return [a.astype(np.float32) for a in (*classes, *objects, *boxes, *points)], faces


def for_retinaface(first: int = 10, second: int = 32) -> tuple[list[FloatArray], list[Face]]:
    """Prior boxes as the SSD paper gives them: centre and side, in parts of the picture, variances 0.1 and 0.2."""
    priors = []
    sizes = ((first, 2 * first), (second, 2 * second), (4 * second, 8 * second))
    for s, sides in zip(STRIDES, sizes, strict=True):
        for _, x, y in cells(s):
            for side in sides:
                centre = (x + 0.5) * s / CANVAS[1], (y + 0.5) * s / CANVAS[0]
                priors.append((*centre, side / CANVAS[1], side / CANVAS[0]))
    boxes, points = numbers(len(priors), 4), numbers(len(priors), 10)
    faces_scores = np.random.default_rng(1).uniform(0, 1, len(priors)).astype(np.float32)
    faces = []
    for row, (cx, cy, w, h) in enumerate(priors):
        dx, dy, dw, dh = map(float, boxes[row])
        mx, my = cx + dx * 0.1 * w, cy + dy * 0.1 * h
        bw, bh = w * math.exp(dw * 0.2), h * math.exp(dh * 0.2)
        box = [(mx - bw / 2) * CANVAS[1], (my - bh / 2) * CANVAS[0]]
        box += [(mx + bw / 2) * CANVAS[1], (my + bh / 2) * CANVAS[0]]
        moved = [
            ((cx, cy)[k % 2] + float(v) * 0.1 * (w, h)[k % 2]) * (CANVAS[1], CANVAS[0])[k % 2]
            for k, v in enumerate(points[row])
        ]
        faces.append((float(faces_scores[row]), box, moved))
    return [boxes, np.stack([1 - faces_scores, faces_scores], 1), points], faces


def for_yolov8() -> tuple[list[FloatArray], list[Face]]:
    outputs = [numbers(80, CANVAS[0] // s, CANVAS[1] // s, scale=2) for s in STRIDES]
    faces = []
    for output, s in zip(outputs, STRIDES, strict=True):
        for _, x, y in cells(s):
            values = [float(v) for v in output[:, y, x]]
            sides = []
            for side in range(4):
                weights = [math.exp(v) for v in values[16 * side : 16 * side + 16]]
                sides.append(sum(k * v for k, v in enumerate(weights)) / sum(weights) * s)
            mx, my = (x + 0.5) * s, (y + 0.5) * s
            box = [mx - sides[0], my - sides[1], mx + sides[2], my + sides[3]]
            moved = [(values[65 + 3 * point + axis] * 2 + (x, y)[axis]) * s for point in range(5) for axis in range(2)]
            faces.append((logistic(values[64]), box, moved))
    return outputs, faces


def for_yolov5() -> tuple[list[FloatArray], list[Face]]:
    anchors = (((4, 5), (8, 10), (13, 16)), ((23, 29), (43, 55), (73, 105)), ((146, 217), (231, 300), (335, 433)))
    outputs = [numbers(3, CANVAS[0] // s, CANVAS[1] // s, 16, scale=2) for s in STRIDES]
    faces = []
    for output, s, sizes in zip(outputs, STRIDES, anchors, strict=True):
        for number, (aw, ah) in enumerate(sizes):
            for _, x, y in cells(s):
                values = [float(v) for v in output[number, y, x]]
                cx, cy = (logistic(values[0]) * 2 - 0.5 + x) * s, (logistic(values[1]) * 2 - 0.5 + y) * s
                w, h = (logistic(values[2]) * 2) ** 2 * aw, (logistic(values[3]) * 2) ** 2 * ah
                moved = [values[5 + k] * (aw, ah)[k % 2] + (x, y)[k % 2] * s for k in range(10)]
                score = logistic(values[4]) * logistic(values[15])
                faces.append((score, [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], moved))
    return outputs, faces


def for_yolov5_rows() -> tuple[list[FloatArray], list[Face]]:
    """The rows that such a network's last layer makes of its maps."""
    likely = np.random.default_rng(5).uniform(0, 1, (189, 2))
    faces, rows = [], []
    for (_, box, points), (exists, is_face) in zip(for_yolov5()[1], likely, strict=False):
        middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]]
        rows.append([*middle, exists, *points, is_face])
        faces.append((exists * is_face, box, points))
    return [np.array(rows, np.float32)], faces


@pytest.mark.parametrize(
    ("decode", "made"),
    [
        (scrfd.decode, for_scrfd),
        (yunet.decode, for_yunet),
        (retinaface.decode, for_retinaface),
        (yolov8_face.decode, for_yolov8),
        (yolov5_face.decode, for_yolov5),
        (
            retinaface.FAMILY.layout(catalogue.load("retinaface/uniface-mobilenetv2")).decode,
            lambda: for_retinaface(16, 64),
        ),
        (yolov5_face.FAMILY.layout(catalogue.load("yolov5-face/s")).decode, for_yolov5_rows),
    ],
    ids=["scrfd", "yunet", "retinaface", "yolov8-face", "yolov5-face", "retinaface-uniface", "yolov5-face-rows"],
)
def test_every_anchor_is_read_as_its_formula_says(decode: Callable, made: Callable) -> None:
    outputs, faces = made()
    wanted = [face for face in faces if face[0] >= LEAST]
    found = decode(outputs, CANVAS, LEAST)
    assert 5 < len(wanted) < len(faces)
    assert len(found.scores) == len(wanted)
    assert {found.boxes.dtype, found.scores.dtype, found.landmarks.dtype} == {np.dtype(np.float32)}
    order = np.argsort(found.scores, kind="stable")
    wanted.sort(key=lambda face: face[0])
    np.testing.assert_allclose(found.scores[order], [face[0] for face in wanted], atol=1e-5)
    np.testing.assert_allclose(found.boxes[order], [face[1] for face in wanted], rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(
        found.landmarks[order].reshape(-1, 10), [face[2] for face in wanted], rtol=1e-4, atol=1e-2
    )


@pytest.mark.parametrize("decode", [yolov5_face.decode, yolov8_face.decode])
def test_huge_logits_do_not_overflow(decode: Callable) -> None:
    shape = (80, 8, 12) if decode is yolov8_face.decode else (3, 8, 12, 16)
    outputs = [np.full((*shape[:1], *(n // k for n in shape[1:3]), *shape[3:]), 1e4, np.float32) for k in (1, 2, 4)]
    with np.errstate(all="raise"):
        found = decode(outputs, CANVAS, 0.5)
    assert np.isfinite(found.boxes).all()
    assert (found.scores == 1).all()


@pytest.mark.parametrize("family", [retinaface.FAMILY, yolov5_face.FAMILY], ids=lambda family: family.name)
def test_models_of_another_layout_are_in_the_catalogue(family: Family) -> None:
    assert family.others
    for name in family.others:
        assert catalogue.load(f"{family.name}/{name}").kind == "detector"
    assert family.layout(catalogue.load(f"{family.name}/{family.model}")) is family.usual
