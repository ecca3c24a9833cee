"""SFace in every form that was tried: size, time, agreement with float32, and accuracy on the pairs of lfw_dev.

The faces of lfw_dev are found once, by yunet with --face center. Times are of one face on one thread, the median of
turns in which all forms run one after the other. The cosine is with the float32 network, over the same faces.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import common
import numpy as np
import onnx
import sface_ranges
from numpy.typing import NDArray

from facecli.contract import CropSpec
from facecli.crops import cutting
from facecli.crops.preprocess import to_input
from facecli.export.graph import quantize
from facecli.export.networks import sface, sface_int8
from facecli.export.recipes.sface import published_layers
from facecli.faces.choice import choose
from facecli.inference.session import OnnxSession, open_session
from facecli.models import catalogue
from facecli.models.arrival.unread_inputs import drop_unread_inputs
from facecli.pictures.codec import decode
from facecli.types import FloatArray, Limits, UInt8Array

BASE = "float32, PReLU as it came"
SHIPPED = "int8 as shipped"
SIMILARITY = 0.363  # OpenCV's threshold
CALIBRATION = 200  # faces for ONNX Runtime's quantizer
BATCH = 4


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--pictures", type=Path, default=common.SHARED / "data" / "lfw_dev.zip", help="folder or zip")
    options.add_argument("--faces", type=Path, default=common.SHARED / "data" / "fairface.zip", help="for calibrations")
    options.add_argument("--weights", type=Path, default=sface_ranges.WEIGHTS)
    options.add_argument("--only", action="append", help=f"a form's name, beside {BASE!r}; may be given again")
    options.add_argument("--every", type=int, default=1, help="take one in so many pairs")
    options.add_argument("--rounds", type=int, default=40)
    options.add_argument("--crops", type=Path, help="an .npz that keeps the found faces for the next time")
    given = options.parse_args()
    spec = catalogue.load("sface")
    assert spec.crop is not None and spec.preprocessing is not None
    with common.folder(given.pictures) as root:
        crops, pairs = _faces(next(root.rglob("pairs.csv")), spec.crop, given.crops)
    pairs = pairs[:: given.every]
    inputs = to_input(crops, spec.preprocessing)
    calibration = to_input(sface_ranges.fairface(given.faces, "train", CALIBRATION, spec.crop), spec.preprocessing)
    with tempfile.TemporaryDirectory() as folder:
        forms = {n: make for n, make in _forms(given.weights, calibration).items() if _wanted(n, given.only)}
        paths = {name: Path(folder) / f"{number}.onnx" for number, name in enumerate(forms)}
        for name, make in forms.items():
            paths[name].write_bytes(make())
        _tell(paths, inputs, pairs, given.rounds, as_json=given.json)


def _wanted(name: str, only: list[str] | None) -> bool:
    return only is None or name in (BASE, *only)


def _tell(paths: dict[str, Path], inputs: FloatArray, pairs: NDArray[Any], rounds: int, *, as_json: bool) -> None:
    """Print the table."""
    sessions = {name: open_session(path, threads=1) for name, path in paths.items()}
    face = inputs[:1]
    own = {name: lambda own=session: _run(own, face) for name, session in sessions.items()}
    seconds = common.medians(common.interleaved(own, rounds, warm=3))
    used = np.unique(pairs[:, :2])
    embeddings = {name: _unit(_run_all(session, inputs[used])) for name, session in sessions.items()}
    places = np.searchsorted(used, pairs[:, :2])
    rows = []
    for name, found in embeddings.items():
        cosine = (found * embeddings[BASE]).sum(1)
        similarity = (found[places[:, 0]] * found[places[:, 1]]).sum(1)
        same = pairs[:, 2].astype(bool)
        best = max(((similarity >= limit) == same).mean() for limit in similarity)
        rows.append(
            {
                "form": name,
                "mb": paths[name].stat().st_size / 1e6,
                "ms": 1e3 * seconds[name],
                "of_float32": seconds[name] / seconds[BASE],
                "least_cosine": float(cosine.min()),
                "mean_cosine": float(cosine.mean()),
                "accuracy": float(((similarity >= SIMILARITY) == same).mean()),
                "best_accuracy": float(best),
            }
        )
    if as_json:
        print(json.dumps({"machine": common.machine(), "pairs": len(pairs), "forms": rows}))
        return
    head = f"LFW at {SIMILARITY}", "LFW at best"
    print(f"{'':58}{'MB':>6}{'ms':>7}{'ratio':>7}  least, mean cosine  {head[0]:>12}  {head[1]:>11}")
    for row in rows:
        cosines = f"{row['least_cosine']:.4f}, {row['mean_cosine']:.5f}"
        figures = f"{row['mb']:6.1f}{row['ms']:7.1f}{row['of_float32']:7.2f}  {cosines:>18}"
        print(f"{row['form']:58}{figures}  {row['accuracy']:12.2%}  {row['best_accuracy']:11.2%}")
    print(", ".join(f"{name} {value}" for name, value in common.machine().items()), f"pairs {len(pairs)}", sep=", ")


def _forms(weights: Path, calibration: FloatArray) -> dict[str, Callable[[], bytes]]:
    """What makes each form, by its name."""
    layers, ranges = published_layers(weights), sface_int8.measured_ranges(published_layers(weights))

    def ours(**changed: Any) -> bytes:
        with _changed(sface_int8, **changed):
            return _bytes(sface_int8.int8(layers, ranges))

    def general(model: onnx.ModelProto) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            onnx.save(model, Path(folder) / "model.onnx")
            (name,) = (value.name for value in model.graph.input)
            return _bytes(quantize.convert(Path(folder) / "model.onnx", quantize.feeds_of(name, calibration)))

    return {
        BASE: lambda: _bytes(_unpacked(weights)),
        "OpenCV's file with blocks of int8, unread inputs dropped": lambda: _bytes(_repaired(weights)),
        "float32, PReLU as a y + (1 - a) relu(y)": lambda: _bytes(_multiplied(_unpacked(weights))),
        "float32, PReLU as y + relu((a - 1) y)": lambda: _bytes(sface.float32(layers)),
        "ONNX Runtime's quantizer, PReLU as it came": lambda: general(_unpacked(weights)),
        "ONNX Runtime's quantizer, PReLU as y + relu((a - 1) y)": lambda: general(sface.float32(layers)),
        "int8, one layer in float32": lambda: ours(FLOAT_LAYERS=1),
        SHIPPED: ours,
        "int8, six layers in float32": lambda: ours(FLOAT_LAYERS=6),
        "int8, channels not divided by their ranges": lambda: ours(widths=lambda low, _: np.ones(len(low))),
        "int8, weights of 7 bits": lambda: ours(weight_scales=_of_seven_bits),
        "int8, weights of 8 bits that may overflow": lambda: ours(weight_scales=_of_eight_bits),
        "int8, PReLU as the maximum of y and a y": lambda: ours(Quantized=_WithMaxima),
    }


def _bytes(model: onnx.ModelProto) -> bytes:
    content: bytes = model.SerializeToString()
    return content


@contextmanager
def _changed(module: Any, **values: Any) -> Iterator[None]:
    """Give a module other constants or functions for the while."""
    before = {name: getattr(module, name) for name in values}
    try:
        for name, value in values.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


def _of_seven_bits(weight: sface.Array, *, pairs: bool) -> sface.Array:
    rows: sface.Array = np.abs(weight).reshape(len(weight), -1).max(1)
    return rows / (64 if pairs else 127)


def _of_eight_bits(weight: sface.Array, *, pairs: bool) -> sface.Array:  # noqa: ARG001 # as weight_scales
    rows: sface.Array = np.abs(weight).reshape(len(weight), -1).max(1)
    return rows / 127


class _WithMaxima(sface_int8.Quantized):
    """A maximum between conversions, for which ONNX Runtime has no integer kernel."""

    def layer(self, x: str, layer: sface.Layer, number: int, before: sface_int8.Steps, after: sface_int8.Steps) -> str:
        assert layer.slope is not None
        y = self.quantize(self._convolution(x, layer, f"y{number}"), before)
        slope = sface.Layer(layer.slope[:, None, None, None], np.zeros(len(layer.slope)), groups=len(layer.slope))
        scaled = self.quantize(self._convolution(y, slope, f"r{number}"), after)
        return self.quantize(self.add("Max", [self.read(y), self.read(scaled)], f"z{number}"), after)


def _repaired(weights: Path) -> onnx.ModelProto:
    """OpenCV's file so that ONNX Runtime loads it, with a free batch."""
    model = onnx.load_from_string(drop_unread_inputs(weights.read_bytes())[0])
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    del graph.input[:]
    graph.input.extend(inputs)
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return model


def _unpacked(weights: Path) -> onnx.ModelProto:
    """OpenCV's graph with float32 weights, as its float32 file has them."""
    model = _repaired(weights)
    values = sface.constants(model)
    nodes = [node for node in model.graph.node if node.output[0] not in values]
    read = {name for node in nodes for name in node.input}
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(array.astype(np.float32), name) for name, array in values.items() if name in read
    )
    return model


def _multiplied(model: onnx.ModelProto) -> onnx.ModelProto:
    """A graph with two products and a sum for each PReLU."""
    nodes: list[onnx.NodeProto] = []
    values = sface.constants(model)
    make, tensor = onnx.helper.make_node, onnx.numpy_helper.from_array
    for node in model.graph.node:
        if node.op_type != "PRelu":
            nodes.append(node)
            continue
        (x, slope), (y,) = node.input, node.output
        model.graph.initializer.append(tensor((1 - values[slope]).astype(np.float32), f"{y}_rest"))
        nodes += [
            make("Relu", [x], [f"{y}_relu"]),
            make("Mul", [x, slope], [f"{y}_line"]),
            make("Mul", [f"{y}_relu", f"{y}_rest"], [f"{y}_bend"]),
            make("Add", [f"{y}_line", f"{y}_bend"], [y]),
        ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _faces(pairs_file: Path, crop: CropSpec, kept: Path | None) -> tuple[UInt8Array, NDArray[Any]]:
    """The faces, (N, H, W, 3) uint8 RGB, and the pairs, (P, 3): places of two faces, 1 for the same person."""
    with pairs_file.open(encoding="utf-8") as stream:
        rows = [(row["file_a"], row["file_b"], int(row["same"])) for row in csv.DictReader(stream)]
    names = sorted({name for row in rows for name in row[:2]})
    places = {name: place for place, name in enumerate(names)}
    pairs = np.array([(places[a], places[b], same) for a, b, same in rows])
    if kept is not None and kept.is_file():
        return np.load(kept)["crops"], pairs
    detector = common.toolbox("yunet", None, 1).detector
    crops = np.zeros((len(names), crop.height, crop.width, 3), np.uint8)
    for place, name in enumerate(names):
        picture = decode((pairs_file.parent / name).read_bytes(), name, Limits())
        (found,) = detector.detect([picture])
        (face,) = choose(found, "center", picture.width, picture.height, name)
        crops[place] = cutting.cut(picture, found, crop)[face]
    if kept is not None:
        np.savez(kept, crops=crops)
    return crops, pairs


def _run(session: OnnxSession, inputs: FloatArray) -> FloatArray:
    (name,) = session.input_shapes
    (found,) = session.run({name: inputs}).values()
    return found


def _run_all(session: OnnxSession, inputs: FloatArray) -> FloatArray:
    return np.concatenate([_run(session, inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)])


def _unit(rows: FloatArray) -> FloatArray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
