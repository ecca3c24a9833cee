"""MTCNN: a cascade of three small networks that propose, refine and place faces with five landmarks.

K. Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks", 2016
(arXiv 1604.02878). Weights, parameter names and the order of every rounding follow facenet-pytorch, so that its users
get the boxes they know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from facecli.contract import DetectorPlugin, Parameters, Runtime, Session, hookimpl
from facecli.errors import UsageError
from facecli.geometry import nms
from facecli.models import catalogue
from facecli.types import Detections, FloatArray, Image, UInt8Array

CELL, STRIDE = 12, 2  # P-Net looks at 12x12 pixels every 2 pixels
REFINE_SIZE, OUTPUT_SIZE = 24, 48  # the inputs of R-Net and O-Net
STRIP_PIXELS = 50_000  # P-Net sees a level in strips of about this size: they stay in the cache and share the threads
CROPS_AT_ONCE = 32  # for the same reasons
DEFAULTS: Parameters = {"min_face_size": 20, "thresholds": (0.6, 0.7, 0.7), "factor": 0.709}

IntArray = NDArray[np.int64]
T = TypeVar("T")
R = TypeVar("R")


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """MTCNN."""
    spec = catalogue.load("mtcnn")
    yield DetectorPlugin(
        "mtcnn", "MTCNN cascade with five landmarks", _load, landmarks=True, models=(spec,), parameters=DEFAULTS
    )


def _load(runtime: Runtime, parameters: Parameters) -> Mtcnn:
    pnet, rnet, onet = (runtime.session("mtcnn", f"mtcnn_{name}.onnx", threads=1) for name in ("pnet", "rnet", "onet"))
    return Mtcnn(pnet, rnet, onet, **{**DEFAULTS, **parameters}, threads=runtime.threads)


@dataclass(frozen=True, slots=True)
class _Strip:
    """A part of one level of one picture's pyramid: rows top to bottom of the picture reduced to `size`."""

    integral: _Integral
    image: int
    scale: float
    size: tuple[int, int]
    top: int
    bottom: int


@dataclass(frozen=True, slots=True)
class _Faces:
    """Candidates of a batch: boxes (N, 4) xyxy, scores (N,), regression (N, 4), and the picture each is of (N,)."""

    boxes: FloatArray
    scores: FloatArray
    regression: FloatArray
    image: IntArray

    def __getitem__(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> _Faces:
        return _Faces(self.boxes[index], self.scores[index], self.regression[index], self.image[index])

    @classmethod
    def join(cls, parts: Sequence[_Faces]) -> _Faces:
        return cls(*(np.concatenate([getattr(p, f) for p in parts]) for f in cls.__dataclass_fields__))


class Mtcnn:
    """The cascade.

    min_face_size: px, the smallest face looked for. thresholds: the score each of the three networks must reach.
    factor: the ratio between one pyramid level and the next. threads: how many parts of a picture are at work at once.
    """

    def __init__(
        self,
        pnet: Session,
        rnet: Session,
        onet: Session,
        min_face_size: float,
        thresholds: Sequence[float],
        factor: float,
        threads: int = 1,
    ) -> None:
        # Said the way that NaN fails too. A factor near 1 would make a pyramid of thousands of levels.
        sensible = 1 <= min_face_size < np.inf and 0 < factor <= 0.95
        if not (sensible and len(thresholds) == 3 and all(0 <= threshold <= 1 for threshold in thresholds)):
            hint = "min_face_size >= 1, 0 < factor <= 0.95, three thresholds from 0 to 1"
            raise UsageError("mtcnn can not work with these parameters", hint=hint)
        self._pnet, self._rnet, self._onet = pnet, rnet, onet
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="mtcnn") if threads > 1 else None
        self.min_face_size, self.thresholds, self.factor = min_face_size, tuple(thresholds), factor

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One Detections per picture."""
        if not images:
            return []
        integrals = self._map(_Integral, [image.pixels for image in images])
        faces = self._refine(integrals, self._propose(integrals))
        faces, landmarks = self._output(integrals, faces)
        return [_detections(faces, landmarks, i) for i in range(len(images))]

    def scales(self, height: int, width: int) -> list[float]:
        """The pyramid: how much each level is reduced, largest level first."""
        scale = CELL / self.min_face_size
        shortest, scales = min(height, width) * scale, []
        while shortest >= CELL:
            scales.append(scale)
            scale *= self.factor
            shortest *= self.factor
        return scales

    def _propose(self, integrals: list[_Integral]) -> _Faces:
        strips = [strip for i, integral in enumerate(integrals) for strip in self._strips(integral, i)]
        found = dict(zip(strips, self._map(self._propose_strip, strips), strict=True))
        chosen = [_no_faces()]
        for image in range(len(integrals)):
            levels = [_no_faces()]
            for scale in dict.fromkeys(strip.scale for strip in strips if strip.image == image):
                level = _Faces.join([found[s] for s in strips if s.image == image and s.scale == scale])
                levels.append(level[nms(level.boxes, level.scores, 0.5)])
            faces = _Faces.join(levels)
            chosen.append(faces[nms(faces.boxes, faces.scores, 0.7)])
        faces = _Faces.join(chosen)
        sides = faces.boxes[:, 2:] - faces.boxes[:, :2]
        boxes = faces.boxes + faces.regression * np.tile(sides, 2)
        return _Faces(_squares(boxes), faces.scores, faces.regression, faces.image)

    def _strips(self, integral: _Integral, image: int) -> Iterator[_Strip]:
        for scale in self.scales(integral.height, integral.width):
            height, width = int(integral.height * scale + 1), int(integral.width * scale + 1)
            rows = max(STRIP_PIXELS // width // STRIDE, 8) * STRIDE
            for top in range(0, height - CELL + STRIDE, rows):
                bottom = min(top + rows + CELL - STRIDE, height)
                if bottom - top >= CELL:
                    yield _Strip(integral, image, scale, (height, width), top, bottom)

    def _propose_strip(self, strip: _Strip) -> _Faces:
        pixels = strip.integral.level(*strip.size, strip.top, strip.bottom)
        output = self._pnet.run({"pixels": pixels[None]})
        probability = output["probability"][0]
        y, x = np.nonzero(probability >= self.thresholds[0])
        corner = np.stack([x, y + strip.top // STRIDE], 1).astype(np.float32) * STRIDE
        scale = np.float32(strip.scale)
        boxes = np.floor(np.concatenate([(corner + 1) / scale, (corner + CELL) / scale], 1))
        return _Faces(boxes, probability[y, x], output["regression"][0][:, y, x].T, np.full(len(y), strip.image))

    def _refine(self, integrals: list[_Integral], faces: _Faces) -> _Faces:
        faces, outputs = self._judge(self._rnet, integrals, faces, REFINE_SIZE)
        judged = _Faces(faces.boxes, outputs["probability"], outputs["regression"], faces.image)
        judged = judged[judged.scores > self.thresholds[1]]
        judged = judged[_nms_by_image(judged, mode="union", inclusive=False)]
        return _Faces(_squares(_moved(judged)), judged.scores, judged.regression, judged.image)

    def _output(self, integrals: list[_Integral], faces: _Faces) -> tuple[_Faces, FloatArray]:
        faces, outputs = self._judge(self._onet, integrals, faces, OUTPUT_SIZE)
        keep = outputs["probability"] > self.thresholds[2]
        judged = _Faces(faces.boxes, outputs["probability"], outputs["regression"], faces.image)[keep]
        sides = judged.boxes[:, 2:] - judged.boxes[:, :2] + 1
        points = outputs["landmarks"][keep].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = points * sides[:, None] + judged.boxes[:, None, :2] - 1
        judged = _Faces(_moved(judged), judged.scores, judged.regression, judged.image)
        pick = _nms_by_image(judged, mode="min", inclusive=True)
        return judged[pick], landmarks[pick]

    def _judge(
        self, net: Session, integrals: list[_Integral], faces: _Faces, size: int
    ) -> tuple[_Faces, dict[str, FloatArray]]:
        """Run a network on the candidates' crops; candidates that lie outside their picture are dropped."""
        limits = np.array([[g.width, g.height] for g in integrals])[faces.image]
        corners = np.trunc(faces.boxes).astype(np.int64)
        boxes = np.concatenate([np.maximum(corners[:, :2], 1) - 1, np.minimum(corners[:, 2:], limits)], 1)
        inside = np.logical_and(*(boxes[:, 2:] > boxes[:, :2]).T)
        faces, boxes = faces[inside], boxes[inside]
        parts = []  # faces are in the order of their pictures, and so are these
        for image, integral in enumerate(integrals):
            own = boxes[faces.image == image]
            parts += [(integral, own[i : i + CROPS_AT_ONCE]) for i in range(0, len(own), CROPS_AT_ONCE)]
        # Without candidates the network still runs once: that gives empty outputs of the right shapes.
        runs = self._map(
            lambda part: net.run({"pixels": part[0].crops(part[1], size)}), parts or [(integrals[0], boxes)]
        )
        return faces, {name: np.concatenate([run[name] for run in runs]) for name in runs[0]}

    def _map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """The function of every item, on all threads: each run of a network then needs but one."""
        return list(map(function, items) if self._pool is None else self._pool.map(function, items))


class _Integral:
    """A picture's integral image, from which any area average costs four look-ups.

    PyTorch's "area" interpolation, which the networks were trained for the use of, averages whole pixels: output i of
    n over a length L covers pixels floor(i L / n) to ceil((i + 1) L / n). OpenCV's INTER_AREA weighs border pixels and
    finds other faces.
    """

    def __init__(self, pixels: UInt8Array) -> None:
        import cv2

        self.height, self.width = pixels.shape[:2]
        # int32 sums wrap around in pictures above 8 megapixels; their differences come out right all the same.
        self._sums = np.empty((3, self.height + 1, self.width + 1), np.int32)
        for channel, sums in enumerate(self._sums):
            cv2.integral(cv2.extractChannel(pixels, channel), sum=sums, sdepth=cv2.CV_32S)

    def level(self, height: int, width: int, top: int, bottom: int) -> FloatArray:
        """Rows top to bottom of the picture averaged down to (height, width): (3, bottom - top, width) float32."""
        y0, y1 = _bins(np.zeros(1, int), np.full(1, self.height), height)[:, 0, top:bottom]
        x0, x1 = _bins(np.zeros(1, int), np.full(1, self.width), width)[:, 0]
        rows = self._sums.take(y1, axis=1)
        rows -= self._sums.take(y0, axis=1)
        sums = rows.take(x1, axis=2)
        sums -= rows.take(x0, axis=2)
        means: FloatArray = sums.astype(np.float32)  # first: a product of int32 and float32 goes through float64
        means *= _inverse(y1 - y0)[:, None] * _inverse(x1 - x0)
        return means

    def crops(self, boxes: IntArray, size: int) -> FloatArray:
        """Boxes (N, 4) x1 y1 x2 y2 within the picture, averaged to (N, 3, size, size) float32."""
        x0, x1 = _bins(boxes[:, 0], boxes[:, 2], size)[:, :, None, :]
        y0, y1 = _bins(boxes[:, 1], boxes[:, 3], size)[..., None] * (self.width + 1)
        weight = _inverse((y1 - y0) // (self.width + 1)) * _inverse(x1 - x0)
        corners = y1 + x1, y0 + x1, y1 + x0, y0 + x0
        means = np.empty((len(boxes), 3, size, size), np.float32)
        for channel, plane in enumerate(self._sums.reshape(3, -1)):
            sums = plane.take(corners[0])
            sums -= plane.take(corners[1])
            sums -= plane.take(corners[2])
            sums += plane.take(corners[3])
            np.multiply(sums.astype(np.float32), weight, out=means[:, channel])
        return means


def _inverse(counts: IntArray) -> FloatArray:
    return np.reciprocal(counts, dtype=np.float32)


def _bins(start: IntArray, end: IntArray, count: int) -> IntArray:
    """The first and one-past-last pixel of `count` bins over each start..end: (2, N, count)."""
    steps, length = np.arange(count), (end - start)[:, None]
    first = steps * length // count
    last = -((steps + 1) * -length // count)
    return np.stack([first, last]) + start[:, None]


def _nms_by_image(faces: _Faces, *, mode: str, inclusive: bool) -> NDArray[np.intp]:
    picks = [np.zeros(0, np.intp)]
    for image in np.unique(faces.image):
        own = np.flatnonzero(faces.image == image)
        picks.append(own[nms(faces.boxes[own], faces.scores[own], 0.7, mode=mode, inclusive=inclusive)])
    return np.concatenate(picks)


def _moved(faces: _Faces) -> FloatArray:
    sides = faces.boxes[:, 2:] - faces.boxes[:, :2] + 1
    return faces.boxes + faces.regression * np.tile(sides, 2)


def _squares(boxes: FloatArray) -> FloatArray:
    """Each box grown to a square about its centre."""
    sides = boxes[:, 2:] - boxes[:, :2]
    side = sides.max(1, keepdims=True)
    corner = boxes[:, :2] + sides * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate([corner, corner + side], 1)


def _no_faces() -> _Faces:
    empty = np.zeros((0, 4), np.float32)
    return _Faces(empty, np.zeros(0, np.float32), empty, np.zeros(0, np.int64))


def _detections(faces: _Faces, landmarks: FloatArray, image: int) -> Detections:
    own = np.flatnonzero(faces.image == image)
    return Detections(faces.boxes[own], faces.scores[own], np.ascontiguousarray(landmarks[own]))
