"""MTCNN: a cascade of three small networks that propose, refine and place faces with five landmarks.

K. Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks", 2016
(arXiv 1604.02878). Weights, parameter names and the order of every rounding follow facenet-pytorch, so that its users
get the boxes they know.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from facecli.contract import DetectorPlugin, Parameters, Runtime, Session, hookimpl
from facecli.errors import UsageError
from facecli.geometry import nms
from facecli.models import catalogue
from facecli.plugins.area_means import IntArray, IntegralImage
from facecli.plugins.reduction import enlarged, reduced
from facecli.types import Detections, FloatArray, Image

CELL, STRIDE = 12, 2  # px; P-Net looks at 12x12 pixels every 2 pixels
REFINE_SIZE, OUTPUT_SIZE = 24, 48  # px; the inputs of R-Net and O-Net
# P-Net runs on strips of a level, R-Net and O-Net on few crops at once: such inputs stay in the processor's cache, and
# several threads share them.
STRIP_PIXELS, CROPS_AT_ONCE = 50_000, 32
# Pixels: larger pictures are reduced to so many. The integral image of one takes 12 bytes for each pixel, so that those
# above TOGETHER are looked at one by one, in all threads.
MOST_PIXELS, TOGETHER = 25_000_000, 4_000_000
DEFAULTS: Parameters = {"min_face_size": 20, "thresholds": (0.6, 0.7, 0.7), "factor": 0.709}

T = TypeVar("T")
R = TypeVar("R")


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """Yield MTCNN."""
    spec = catalogue.load("mtcnn")
    yield DetectorPlugin(
        "mtcnn", "MTCNN cascade with five landmarks", _load, landmarks=True, models=(spec,), parameters=DEFAULTS
    )


def _load(runtime: Runtime, parameters: Parameters) -> Mtcnn:
    names = "pnet", "rnet", "onet"
    networks = [runtime.session("mtcnn", f"mtcnn_{name}.onnx", threads=1) for name in names]
    return Mtcnn(networks, **{**DEFAULTS, **parameters}, threads=runtime.threads)


@dataclass(frozen=True, slots=True)
class _Strip:
    """A part of one level of a picture's pyramid.

    integral: of the picture. image: the picture's number in the batch. scale: of the level. size: (height, width) px of
    the level. top, bottom: the strip's first row in the level, and the one behind its last.
    """

    integral: IntegralImage
    image: int
    scale: float
    size: tuple[int, int]
    top: int
    bottom: int


@dataclass(frozen=True, slots=True)
class _Faces:
    """Candidates of a batch.

    boxes: (N, 4) xyxy px. scores: (N,). regression: (N, 4), corrections of the boxes in parts of their sides. image:
    (N,), the number of the picture that each candidate is in.
    """

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

    networks: sessions of P-Net, R-Net and O-Net. min_face_size: px, of a large picture's reduction, the smallest face
    that is looked for; half of it makes a pyramid of about four times as many pixels. thresholds: the scores that a
    face must reach in each of the three networks. factor: the ratio between one level of the pyramid and the next.
    threads: parts of a picture that are at work at once.
    """

    def __init__(
        self,
        networks: Sequence[Session],
        min_face_size: float,
        thresholds: Sequence[float],
        factor: float,
        threads: int = 1,
    ) -> None:
        # Written so that NaN fails, too. A factor near 1 would make a pyramid of thousands of levels.
        sensible = 1 <= min_face_size < np.inf and 0 < factor <= 0.95
        if not (sensible and len(thresholds) == 3 and all(0 <= threshold <= 1 for threshold in thresholds)):
            hint = "min_face_size >= 1, 0 < factor <= 0.95, three thresholds from 0 to 1"
            raise UsageError("mtcnn can not work with these parameters", hint=hint)
        self._pnet, self._rnet, self._onet = networks
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="mtcnn") if threads > 1 else None
        self._alone = threading.Lock()
        self.min_face_size, self.thresholds, self.factor = min_face_size, tuple(thresholds), factor

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return the faces of each picture."""
        found: list[Detections] = []
        for group in _groups(images):
            small, scales = zip(*(reduced(image, MOST_PIXELS) for image in group), strict=True)
            with self._alone if len(group) == 1 and _pixels(group[0]) > TOGETHER else nullcontext():
                found += map(enlarged, self._detect(small), scales)
        return found

    def _detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return the faces of pictures that are small enough together."""
        integrals = self._map(IntegralImage, [image.pixels for image in images])
        faces = self._refine(integrals, self._propose(integrals))
        faces, landmarks = self._output(integrals, faces)
        return [_detections(faces, landmarks, i) for i in range(len(images))]

    def scales(self, height: int, width: int) -> list[float]:
        """Return the scale of each level of the pyramid of a picture, whose sides are in px; largest level first."""
        scale = CELL / self.min_face_size
        shortest, scales = min(height, width) * scale, []
        while shortest >= CELL:
            scales.append(scale)
            scale *= self.factor
            shortest *= self.factor
        return scales

    def _propose(self, integrals: list[IntegralImage]) -> _Faces:
        """Return what P-Net proposes, after suppression in each level and then in each picture, as squares."""
        strips = [strip for i, integral in enumerate(integrals) for strip in self._strips(integral, i)]
        proposals = dict(zip(strips, self._map(self._propose_strip, strips), strict=True))
        pictures = [_no_faces()]
        for image in range(len(integrals)):
            levels = [_no_faces()]
            for scale in dict.fromkeys(strip.scale for strip in strips if strip.image == image):
                level = _Faces.join([proposals[s] for s in strips if s.image == image and s.scale == scale])
                levels.append(level[nms(level.boxes, level.scores, 0.5)])
            faces = _Faces.join(levels)
            pictures.append(faces[nms(faces.boxes, faces.scores, 0.7)])
        faces = _Faces.join(pictures)
        sides = faces.boxes[:, 2:] - faces.boxes[:, :2]
        boxes = faces.boxes + faces.regression * np.tile(sides, 2)
        return _Faces(_squares(boxes), faces.scores, faces.regression, faces.image)

    def _strips(self, integral: IntegralImage, image: int) -> Iterator[_Strip]:
        """Yield the strips of all levels of a picture; neighbours overlap, so that no cell is cut."""
        for scale in self.scales(integral.height, integral.width):
            height, width = int(integral.height * scale + 1), int(integral.width * scale + 1)
            rows = max(STRIP_PIXELS // width // STRIDE, 8) * STRIDE
            for top in range(0, height - CELL + STRIDE, rows):
                bottom = min(top + rows + CELL - STRIDE, height)
                if bottom - top >= CELL:
                    yield _Strip(integral, image, scale, (height, width), top, bottom)

    def _propose_strip(self, strip: _Strip) -> _Faces:
        """Return the cells of a strip in which P-Net sees a face, as boxes in px of the picture."""
        pixels = strip.integral.level(*strip.size, strip.top, strip.bottom)
        output = self._pnet.run({"pixels": pixels[None]})
        probability = output["probability"][0]
        y, x = np.nonzero(probability >= self.thresholds[0])
        corner = np.stack([x, y + strip.top // STRIDE], 1).astype(np.float32) * STRIDE
        scale = np.float32(strip.scale)
        boxes = np.floor(np.concatenate([(corner + 1) / scale, (corner + CELL) / scale], 1))
        return _Faces(boxes, probability[y, x], output["regression"][0][:, y, x].T, np.full(len(y), strip.image))

    def _refine(self, integrals: list[IntegralImage], faces: _Faces) -> _Faces:
        """Return the candidates that R-Net accepts, corrected, as squares."""
        faces, outputs = self._judge(self._rnet, integrals, faces, REFINE_SIZE)
        judged = _Faces(faces.boxes, outputs["probability"], outputs["regression"], faces.image)
        judged = judged[judged.scores > self.thresholds[1]]
        judged = judged[_nms_by_image(judged, mode="union", inclusive=False)]
        return _Faces(_squares(_corrected(judged)), judged.scores, judged.regression, judged.image)

    def _output(self, integrals: list[IntegralImage], faces: _Faces) -> tuple[_Faces, FloatArray]:
        """Return the candidates that O-Net accepts, corrected, and their landmarks (N, 5, 2) px."""
        faces, outputs = self._judge(self._onet, integrals, faces, OUTPUT_SIZE)
        accepted = outputs["probability"] > self.thresholds[2]
        judged = _Faces(faces.boxes, outputs["probability"], outputs["regression"], faces.image)[accepted]
        sides = judged.boxes[:, 2:] - judged.boxes[:, :2] + 1
        points = outputs["landmarks"][accepted].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = points * sides[:, None] + judged.boxes[:, None, :2] - 1
        judged = _Faces(_corrected(judged), judged.scores, judged.regression, judged.image)
        best = _nms_by_image(judged, mode="min", inclusive=True)
        return judged[best], landmarks[best]

    def _judge(
        self, network: Session, integrals: list[IntegralImage], faces: _Faces, size: int
    ) -> tuple[_Faces, dict[str, FloatArray]]:
        """Run a network on crops of the candidates, averaged to size x size px.

        Returns its outputs and the candidates they are of; those that lie outside their picture are dropped.
        """
        limits = np.array([[g.width, g.height] for g in integrals])[faces.image]
        corners = np.trunc(faces.boxes).astype(np.int64)
        boxes = np.concatenate([np.maximum(corners[:, :2], 1) - 1, np.minimum(corners[:, 2:], limits)], 1)
        inside = np.logical_and(*(boxes[:, 2:] > boxes[:, :2]).T)
        faces, boxes = faces[inside], boxes[inside]
        parts = []  # in the order of the pictures, as the candidates are
        for image, integral in enumerate(integrals):
            here = boxes[faces.image == image]
            parts += [(integral, here[i : i + CROPS_AT_ONCE]) for i in range(0, len(here), CROPS_AT_ONCE)]
        # Without candidates the network runs once all the same: its outputs are empty and have the right shapes.
        runs = self._map(
            lambda part: network.run({"pixels": part[0].crops(part[1], size)}), parts or [(integrals[0], boxes)]
        )
        return faces, {name: np.concatenate([run[name] for run in runs]) for name in runs[0]}

    def _map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Return the function's result for every item, computed on all threads: each run of a network takes one."""
        return list(map(function, items) if self._pool is None else self._pool.map(function, items))


def _pixels(image: Image) -> int:
    return image.width * image.height


def _groups(images: Sequence[Image]) -> Iterator[list[Image]]:
    """Yield the pictures in order, as many at once as have TOGETHER pixels, at least one."""
    group: list[Image] = []
    for image in images:
        if group and sum(map(_pixels, group)) + _pixels(image) > TOGETHER:
            yield group
            group = []
        group.append(image)
    if group:
        yield group


def _nms_by_image(faces: _Faces, *, mode: str, inclusive: bool) -> NDArray[np.intp]:
    """Return the indices that suppression leaves in each picture, picture by picture; see facecli.geometry.nms."""
    indices = [np.zeros(0, np.intp)]
    for image in sorted(set(faces.image.tolist())):  # np.unique imports numpy.ma, a tenth of a second
        rows = np.flatnonzero(faces.image == image)
        indices.append(rows[nms(faces.boxes[rows], faces.scores[rows], 0.7, mode=mode, inclusive=inclusive)])
    return np.concatenate(indices)


def _corrected(faces: _Faces) -> FloatArray:
    """Return the boxes (N, 4), corrected by the network's regression."""
    sides = faces.boxes[:, 2:] - faces.boxes[:, :2] + 1
    return faces.boxes + faces.regression * np.tile(sides, 2)


def _squares(boxes: FloatArray) -> FloatArray:
    """Return boxes (N, 4) grown to squares about their centres."""
    sides = boxes[:, 2:] - boxes[:, :2]
    side = sides.max(1, keepdims=True)
    corner = boxes[:, :2] + sides * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate([corner, corner + side], 1)


def _no_faces() -> _Faces:
    empty = np.zeros((0, 4), np.float32)
    return _Faces(empty, np.zeros(0, np.float32), empty, np.zeros(0, np.int64))


def _detections(faces: _Faces, landmarks: FloatArray, image: int) -> Detections:
    """Return the faces of one picture of the batch."""
    rows = np.flatnonzero(faces.image == image)
    return Detections(faces.boxes[rows], faces.scores[rows], np.ascontiguousarray(landmarks[rows]))
