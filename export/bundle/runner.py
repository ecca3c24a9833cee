"""Detects, aligns, embeds and compares faces with the models of this folder; needs onnxruntime and numpy, nothing else.

    import runner
    faces = runner.Bundle()                      # the folder that this file lies in
    faces.verify(a, b)["verified"]               # a, b: (H, W, 3) uint8 RGB arrays, upright

It decodes no pictures. `python runner.py A.npy B.npy` compares two saved arrays. manifest.json describes the models.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read by the import: without it, ONNX Runtime reports its use
import onnxruntime

Array = NDArray[Any]
CELL, STRIDE = 12, 2  # px: MTCNN's P-Net judges windows of 12x12 px, 2 px apart
STRIP_PIXELS, CROPS_AT_ONCE = 50_000, 32  # limits of one run of MTCNN's networks, so that memory stays small
GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601 luma


@dataclass(frozen=True)
class Faces:
    """Faces, best score first: boxes (N, 4) x1 y1 x2 y2, scores (N,), landmarks (N, 5, 2), in px of the picture."""

    boxes: Array
    scores: Array
    landmarks: Array


class Bundle:
    """The models of a folder. threads: limit of one run. verify: compare every file with its sha256 first."""

    def __init__(self, folder: str | Path | None = None, *, threads: int = 1, verify: bool = True) -> None:
        self.folder = Path(folder) if folder else Path(__file__).parent
        self.manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text("utf-8"))
        self._threads, self._verify = threads, verify
        detector = self.manifest["detector"]
        nets = [self._session(file) for file in detector["files"]]
        self._mtcnn = Mtcnn(nets, detector["parameters"]) if detector["kind"] == "mtcnn" else None
        self._decoded = nets[0]  # a graph with decoding gives boxes, scores and landmarks
        self.recognizer: dict[str, Any] = self.manifest["recognizer"]
        self._recognizer = self._session(self.recognizer["file"])
        self._attributes = [(entry, self._session(entry["file"])) for entry in self.manifest["attributes"]]

    def detect(self, pixels: Array) -> Faces:
        """Return the faces of a picture, (H, W, 3) uint8 RGB."""
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise ValueError(f"a picture must be (H, W, 3) uint8, got {pixels.shape} {pixels.dtype}")
        if not pixels.size:
            return Faces(*(np.zeros((0, *rest), np.float32) for rest in ((4,), (), (5, 2))))
        return self._mtcnn(pixels) if self._mtcnn else Faces(*_run(self._decoded, np.ascontiguousarray(pixels)))

    def embed(self, pixels: Array, faces: Faces, index: int) -> Array:
        """Return the embedding of one face, (dim,) float32."""
        row = _infer(self._recognizer, self.recognizer, crop(pixels, faces, index, self.recognizer["crop"]))
        length = max(float(np.linalg.norm(row)), 1e-12) if self.recognizer["normalized"] else 1.0
        return np.asarray(row / np.float32(length))

    def attributes(self, pixels: Array, faces: Faces, index: int) -> dict[str, Any]:
        """Classify one face with every attribute model: attribute -> {label: probability}, or a number."""
        answers: dict[str, Any] = {}
        for entry, session in self._attributes:
            row = _infer(session, entry, crop(pixels, faces, index, entry["crop"]))
            row = np.exp(row - row.max()) / np.exp(row - row.max()).sum() if entry["logits"] else row
            named = dict(zip(entry["labels"], row.tolist(), strict=False))  # no labels: the model gives a number
            answers[entry["attribute"]] = named or float(row[0])
        return answers

    def compare(self, a: Array, b: Array) -> dict[str, Any]:
        """Decide by the manifest's operating point if two embeddings are one person's: distance <= threshold."""
        metric, threshold = (self.recognizer["operating_point"][key] for key in ("metric", "threshold"))
        similarity = cosine_similarity(a, b)
        distances = {"cosine": 1 - similarity, "euclidean": float(np.linalg.norm(a.astype(np.float64) - b))}
        distances |= {"euclidean_l2": math.sqrt(2 * (1 - similarity)), "angular": math.acos(similarity) / math.pi}
        numbers = {"similarity": similarity, "distance": distances[metric], "threshold": threshold}
        return {"verified": distances[metric] <= threshold, "metric": metric, **numbers}

    def verify(self, a: Array, b: Array) -> dict[str, Any]:
        """Compare the largest face of each of two pictures. Raises ValueError where there is none."""
        detected = [self.detect(pixels) for pixels in (a, b)]
        for name, faces in zip(("first", "second"), detected, strict=True):
            if not len(faces.boxes):
                raise ValueError(f"no face found in the {name} picture")
        rows = (self.embed(p, faces, largest(faces, p)) for p, faces in zip((a, b), detected, strict=True))
        return self.compare(*rows)

    def _session(self, file: dict[str, Any]) -> onnxruntime.InferenceSession:
        content = (self.folder / file["path"]).read_bytes()
        if self._verify and hashlib.sha256(content).hexdigest() != file["sha256"]:
            raise ValueError(f"{file['path']} is not the file that the manifest names: its sha256 differs")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = self._threads, 3
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def largest(faces: Faces, pixels: Array) -> int:
    """Return the index of the face that covers most of the picture."""
    x1, y1, x2, y2 = np.clip(faces.boxes, 0, [*pixels.shape[1::-1]] * 2).T
    return int(np.argmax((x2 - x1) * (y2 - y1)))


def cosine_similarity(a: Array, b: Array) -> float:
    """Return the cosine of two embeddings: in [-1, 1], higher is more alike; 0 if one is zero."""
    lengths = float(np.linalg.norm(a.astype(np.float64)) * np.linalg.norm(b.astype(np.float64)))
    return max(-1.0, min(1.0, float(a.astype(np.float64) @ b) / lengths)) if lengths else 0.0


def crop(pixels: Array, faces: Faces, index: int, spec: dict[str, Any]) -> Array:
    """Cut a face out as a model takes it, (height, width, 3) uint8; black where the picture ends."""
    template, box = spec["template"], faces.boxes[index]
    matrix = similarity_transform(faces.landmarks[index], np.array(template)) if template else _box_matrix(box, spec)
    return warp(pixels, matrix, spec["width"], spec["height"])


def similarity_transform(source: Array, target: Array) -> Array:
    """Return rotation, uniform scale and shift, (2, 3), that map source points best onto the target (Umeyama 1991)."""
    p, q = (points[:, 0].astype(np.float64) + 1j * points[:, 1] for points in (source, target))
    spread = (abs(p - p.mean()) ** 2).sum()
    turn = (np.conj(p - p.mean()) * (q - q.mean())).sum() / spread if spread > 0 else 1.0
    shift = q.mean() - turn * p.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _box_matrix(box: Array, spec: dict[str, Any]) -> Array:
    x1, y1, x2, y2 = (float(v) for v in box)
    width, height = max(x2 - x1, 1.0), max(y2 - y1, 1.0)
    width, height = (max(side, width, height) if spec["square"] else side for side in (width, height))
    width, height = width * (1 + 2 * spec["margin"]), height * (1 + 2 * spec["margin"])
    x, y = spec["width"] / width, spec["height"] / height
    return np.array([[x, 0, -(x1 + x2 - width) / 2 * x], [0, y, -(y1 + y2 - height) / 2 * y]])


def warp(pixels: Array, matrix: Array, width: int, height: int) -> Array:
    """Warp bilinearly; a face more than twice as large as the crop is first averaged down by a whole factor."""
    scale = math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
    if not 1e-6 < scale < math.inf:
        return np.zeros((height, width, 3), np.uint8)
    factor = int(1 / scale) if scale < 0.5 else 1
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ inverse.T
    left, top = np.clip(np.floor(corners.min(0)) - factor, 0, pixels.shape[1::-1]).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0)) + factor, 0, pixels.shape[1::-1]).astype(int)
    part = pixels[top:bottom, left:right].astype(np.float64)
    if not part.size:
        return np.zeros((height, width, 3), np.uint8)
    down, across = min(factor, part.shape[0]), min(factor, part.shape[1])
    rows, columns = part.shape[0] // down, part.shape[1] // across
    blocks = part[: rows * down, : columns * across].reshape(rows, down, columns, across, 3)
    part = np.pad(np.rint(blocks.mean((1, 3))), ((1, 1), (1, 1), (0, 0)))  # black around it
    y, x = np.mgrid[:height, :width]
    x, y = (inverse @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])) - [[left], [top]]
    x, y = ((v - (f - 1) / 2) / f + 1 for v, f in ((x, across), (y, down)))
    x, y = x.clip(0, columns + 0.999), y.clip(0, rows + 0.999)
    x0, y0 = x.astype(int), y.astype(int)
    u, v = (x - x0)[:, None], (y - y0)[:, None]
    upper = part[y0, x0] * (1 - u) + part[y0, x0 + 1] * u
    lower = part[y0 + 1, x0] * (1 - u) + part[y0 + 1, x0 + 1] * u
    return np.asarray(np.rint(upper * (1 - v) + lower * v).astype(np.uint8).reshape(height, width, 3))


def _infer(session: onnxruntime.InferenceSession, entry: dict[str, Any], pixels: Array) -> Array:
    how = entry["preprocessing"]
    if how is None:  # the graph has it inside
        return np.asarray(_run(session, pixels)[0])
    values: Array = pixels[..., ::-1].astype(np.float32) if how["colour"] == "BGR" else pixels.astype(np.float32)
    values = (values @ GREY)[..., None] if how["colour"] == "grey" else values
    values = (values - np.array(how["mean"], np.float32)) / np.array(how["std"], np.float32)
    values = values.transpose(2, 0, 1) if how["layout"] == "NCHW" else values
    return np.asarray(_run(session, np.ascontiguousarray(values[None]))[0][0])


def _run(session: onnxruntime.InferenceSession, value: Array) -> list[Array]:
    return list(session.run(None, {session.get_inputs()[0].name: value}))


class Mtcnn:
    """The cascade of P-, R- and O-Net (arXiv 1604.02878), rounding as facenet-pytorch and facecli do."""

    def __init__(self, nets: list[Any], parameters: dict[str, Any]) -> None:
        (self._pnet, self._rnet, self._onet), self.thresholds = nets, parameters["thresholds"]
        self.min_face_size, self.factor = parameters["min_face_size"], parameters["factor"]

    def __call__(self, pixels: Array) -> Faces:
        """Return the faces of a picture, (H, W, 3) uint8 RGB."""
        picture = _Sums(pixels)
        boxes = self._propose(picture)
        boxes, scores, moves, _ = self._judge(self._rnet, picture, boxes, 24, self.thresholds[1])
        boxes = _squares(_moved(boxes, moves)[nms(boxes, scores, 0.7)])
        boxes, scores, moves, points = self._judge(self._onet, picture, boxes, 48, self.thresholds[2])
        points = points.reshape(-1, 2, 5).transpose(0, 2, 1) * (boxes[:, None, 2:] - boxes[:, None, :2] + 1)
        points = points + boxes[:, None, :2] - 1
        boxes = _moved(boxes, moves)
        keep = nms(boxes, scores, 0.7, smaller=True, extra=1)
        return Faces(boxes[keep], scores[keep], points[keep])

    def _propose(self, picture: _Sums) -> Array:
        levels, scale = [np.zeros((0, 9), np.float32)], CELL / self.min_face_size
        while min(picture.height, picture.width) * scale >= CELL:
            level = self._level(picture, scale)
            levels.append(level[nms(level[:, :4], level[:, 4], 0.5)])
            scale *= self.factor
        rows = np.concatenate(levels)
        rows = rows[nms(rows[:, :4], rows[:, 4], 0.7)]
        boxes = rows[:, :4]
        return _squares(boxes + rows[:, 5:] * np.tile(boxes[:, 2:] - boxes[:, :2], 2))

    def _level(self, picture: _Sums, scale: float) -> Array:
        """Return the candidates of one level of the pyramid: box, score, regression."""
        height, width = int(picture.height * scale + 1), int(picture.width * scale + 1)
        whole = (0, 0, picture.width, picture.height)
        step, strips = max(STRIP_PIXELS // width // STRIDE, 8) * STRIDE, [np.zeros((0, 9), np.float32)]
        for top in range(0, height - CELL + 1, step):
            bottom = min(top + step + CELL - STRIDE, height)
            probability, regression = _run(self._pnet, picture.means(whole, height, width, top, bottom)[None])
            y, x = np.nonzero(probability[0] >= self.thresholds[0])
            corner = np.stack([x, y + top // STRIDE], 1).astype(np.float32) * STRIDE
            boxes = np.floor(np.concatenate([corner + 1, corner + CELL], 1) / np.float32(scale))
            strips.append(np.column_stack([boxes, probability[0][y, x], regression[0][:, y, x].T]))
        return np.concatenate(strips)

    def _judge(self, net: Any, picture: _Sums, boxes: Array, size: int, threshold: float) -> tuple[Array, ...]:
        """Return the candidates that a network scores above a threshold: boxes, scores, regression, landmarks."""
        corners = np.trunc(boxes).astype(np.int64)
        far = np.minimum(corners[:, 2:], [picture.width, picture.height])
        areas = np.concatenate([np.maximum(corners[:, :2], 1) - 1, far], 1)
        inside = (areas[:, 2:] > areas[:, :2]).all(1)
        boxes, areas = boxes[inside], areas[inside]
        outputs = [np.zeros((0, 15), np.float32)]
        for start in range(0, len(areas), CROPS_AT_ONCE):
            crops = np.stack([picture.means(box, size, size) for box in areas[start : start + CROPS_AT_ONCE]])
            scores, moves, *points = _run(net, crops)
            outputs.append(np.column_stack([scores, moves, points[0] if points else np.zeros((len(scores), 10))]))
        rows = np.concatenate(outputs).astype(np.float32)
        good = rows[:, 0] > threshold
        return boxes[good], rows[good, 0], rows[good, 1:5], rows[good, 5:]


class _Sums:
    """A picture's integral image: any area average costs four look-ups."""

    def __init__(self, pixels: Array) -> None:
        self.height, self.width = pixels.shape[:2]
        self._sums = np.pad(pixels.transpose(2, 0, 1).astype(np.int64).cumsum(1).cumsum(2), ((0, 0), (1, 0), (1, 0)))

    def means(self, box: Any, height: int, width: int, top: int = 0, bottom: int | None = None) -> Array:
        """Average rows top to bottom of a box to (3, height, width); each covers whole pixels, as in PyTorch."""
        y0, y1 = (edge[top:bottom] for edge in _bins(box[1], box[3], height))
        x0, x1 = _bins(box[0], box[2], width)
        rows = self._sums[:, y1] - self._sums[:, y0]
        sums = (rows[:, :, x1] - rows[:, :, x0]).astype(np.float32)
        weight = 1 / (y1 - y0).astype(np.float32)[:, None] * (1 / (x1 - x0).astype(np.float32))
        return np.asarray(sums * weight)


def _bins(start: int, end: int, count: int) -> tuple[Array, Array]:
    steps = np.arange(count)
    return start + steps * (end - start) // count, start - (steps + 1) * (start - end) // count


def nms(boxes: Array, scores: Array, threshold: float, *, smaller: bool = False, extra: int = 0) -> Array:
    """Return the indices kept, best first. smaller: overlap is of the smaller box. extra: 1 counts the last pixel."""
    order = np.argsort(-scores, kind="stable")
    sides = boxes[:, 2:] - boxes[:, :2] + np.float32(extra)
    areas, kept = sides[:, 0] * sides[:, 1], []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        low, high = np.maximum(boxes[best, :2], boxes[order, :2]), np.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = np.maximum(high - low + np.float32(extra), 0).prod(1)
        total = np.minimum(areas[best], areas[order]) if smaller else areas[best] + areas[order] - shared
        order = order[shared / np.maximum(total, np.finfo(np.float32).tiny) <= threshold]
    return np.array(kept, np.int64)


def _moved(boxes: Array, moves: Array) -> Array:
    return np.asarray(boxes + moves * np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2))


def _squares(boxes: Array) -> Array:
    """Grow each box to a square about its centre."""
    sides = boxes[:, 2:] - boxes[:, :2]
    side = sides.max(1, keepdims=True)
    corner = boxes[:, :2] + sides * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate([corner, corner + side], 1)


if __name__ == "__main__":
    print(json.dumps(Bundle().verify(*(np.load(name) for name in sys.argv[1:3]))))  # noqa: T201 # its output
