"""Small detector networks: a bright cell of the picture is a face there, at a place that the test knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecli.inference.session import open_session
from facecli.models import catalogue
from facecli.plugins.single_shot.detector import SingleShotDetector
from facecli.plugins.single_shot.family import Family

STRIDES = (8, 16, 32)
Size = tuple[int, int]
# What a map of a head gives: a constant per channel, or None for the brightness of the cell, from 0 to 1; of a map of
# logits None is -20 for black and +20 for white.
Head = Sequence[float | None]


class Toy:
    """Writes an ONNX file whose maps are the mean brightness of each cell, or constants."""

    def __init__(self, onnx: Any, preprocessing: Any, batch: int | str, size: Size | None) -> None:
        self.onnx, self.helper = onnx, onnx.helper
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.outputs: list[Any] = []
        # pixel / 255, averaged over the channels, as a function of what the preprocessing makes of the pixel
        mean, std = (np.broadcast_to(np.array(v, np.float64), 3) for v in (preprocessing.mean, preprocessing.std))
        self.slope, self.start = std / 255 / 3, (mean / 255 / 3).sum()
        shape = [batch, 3, *(size or ("height", "width"))]
        self.input = self.helper.make_tensor_value_info("pixels", onnx.TensorProto.FLOAT, shape)

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values: Any) -> str:
        name = f"constant_{len(self.weights)}"
        array = np.asarray(values)
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        self.weights.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def head(self, stride: int, head: Head, *, live: bool, logits: bool = False) -> str:
        """A map (N, channels, H / stride, W / stride); where it is not live, brightness is taken for black."""
        pooled = self.node("AveragePool", ["pixels"], kernel_shape=[stride] * 2, strides=[stride] * 2)
        weight, bias = np.zeros((len(head), 3, 1, 1)), np.zeros(len(head))
        factor, black = (40, -20) if logits else (1, 0)
        for channel, value in enumerate(head):
            bias[channel] = black if value is None else value
            if value is None and live:
                weight[channel, :, 0, 0] = self.slope * factor
                bias[channel] += self.start * factor
        return self.node("Conv", [pooled, self.constant(weight), self.constant(bias)])

    def rows(self, maps: str, width: int) -> str:
        """A map's cells as rows: (N, H * W * anchors, width)."""
        last = self.node("Transpose", [maps], perm=[0, 2, 3, 1])
        return self.node("Reshape", [last, self.constant([0, -1, width])])

    def output(self, name: str) -> None:
        self.outputs.append(self.helper.make_empty_tensor_value_info(name))

    def save(self, path: Path) -> Path:
        graph = self.helper.make_graph(self.nodes, "toy", [self.input], self.outputs, self.weights)
        opsets = [self.helper.make_opsetid("", 17)]
        model = self.helper.make_model(graph, opset_imports=opsets, ir_version=8)
        path.write_bytes(model.SerializeToString())
        return path


def scrfd(toy: Toy, stride: int) -> None:
    for width, head in (
        (1, [None, 0.0]),
        (4, [1.0, 1.0, 2.0, 2.0] * 2),
        (10, [0.1 * k for k in range(10)] * 2),
    ):
        for own in STRIDES:
            toy.output(toy.rows(toy.head(own, head, live=own == stride), width))


def yunet(toy: Toy, stride: int) -> None:
    for head in ([None], [None], [0.5, 0.5, np.log(3.0), np.log(3.0)], [0.1 * k for k in range(10)]):
        for own in STRIDES:
            toy.output(toy.rows(toy.head(own, head, live=own == stride), len(head)))


def retinaface(toy: Toy, stride: int) -> None:
    for width, head in (
        (4, [0.0] * 8),
        (2, [0.0, None, 0.0, 0.0]),
        (10, [0.1 * k for k in range(20)]),
    ):
        parts = [toy.rows(toy.head(own, head, live=own == stride), width) for own in STRIDES]
        toy.output(toy.node("Concat", parts, axis=1))


def yolov8(toy: Toy, stride: int) -> None:
    bins = [0.0] * 64
    for side, distance in enumerate((1, 1, 2, 2)):
        bins[side * 16 + distance] = 60.0
    landmarks = [value for k in range(5) for value in (0.1 * k, 0.05 * k, 9.0)]
    for own in STRIDES:
        box = toy.head(own, bins, live=False)
        score = toy.head(own, [None], live=own == stride, logits=True)
        points = toy.head(own, landmarks, live=False)
        toy.output(toy.node("Concat", [box, score, points], axis=1))


def yolov5(toy: Toy, stride: int) -> None:
    quiet = [0.0] * 4 + [-20.0] + [0.0] * 10 + [20.0]
    loud = [0.0] * 4 + [None] + [0.1 * k for k in range(10)] + [20.0]
    for own in STRIDES:
        maps = toy.head(own, quiet + loud + quiet, live=own == stride, logits=True)
        apart = toy.node("Reshape", [maps, toy.constant([0, 3, 16, *toy.cells(own)])])
        toy.output(toy.node("Transpose", [apart], perm=[0, 1, 3, 4, 2]))


LAYOUTS = {
    "scrfd": scrfd,
    "yunet": yunet,
    "retinaface": retinaface,
    "yolov8-face": yolov8,
    "yolov5-face": yolov5,
}


@pytest.fixture
def toy_detector(tmp_path: Path) -> Callable[..., SingleShotDetector]:
    """Make a family's detector with a toy network: its cells of `stride` px are faces where they are bright."""
    onnx = pytest.importorskip("onnx", reason="making a model needs onnx")

    def make(
        family: Family, *, stride: int = 16, batch: int | str = 1, fixed: Size | None = (128, 160), **given: Any
    ) -> SingleShotDetector:
        spec = catalogue.load(f"{family.name}/{family.model}")
        toy = Toy(onnx, spec.preprocessing, batch, fixed)
        toy.cells = lambda own: [n // own for n in fixed or (0, 0)]  # type: ignore[attr-defined]
        LAYOUTS[family.name](toy, stride)
        path = toy.save(tmp_path / f"{family.name}-{stride}-{batch}-{len(list(tmp_path.iterdir()))}.onnx")
        return SingleShotDetector(family, spec, open_session(path), replace(family.defaults, **given))

    return make
