"""The range of every channel of SFace before its activation, on faces: what `facecli export sface` quantizes by.

It prints how the ranges in the package agree with these, and writes them with --write.
"""

from __future__ import annotations

import io
import random
import tempfile
import zipfile
from pathlib import Path

import common
import numpy as np

from facecli.contract import CropSpec
from facecli.crops import cutting
from facecli.crops.preprocess import to_input
from facecli.export.networks import sface, sface_int8
from facecli.export.recipes.sface import FILE, published_layers
from facecli.inference.session import open_session
from facecli.models import catalogue
from facecli.pictures.codec import decode
from facecli.types import Detections, FloatArray, Limits, UInt8Array

BATCH = 4
WEIGHTS = common.SHARED / "models" / Path(FILE).name
SCALE = 0.9  # of ArcFace's five points about the centre, in the pictures of fairface.zip


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--faces", type=Path, default=common.SHARED / "data" / "fairface.zip")
    options.add_argument("--weights", type=Path, default=WEIGHTS)
    options.add_argument("--count", type=int, default=1000, help="training faces, at random")
    options.add_argument("--write", action="store_true", help="replace the ranges in the package")
    given = options.parse_args()
    spec = catalogue.load("sface")
    assert spec.crop is not None and spec.preprocessing is not None
    crops = fairface(given.faces, "train", given.count, spec.crop)
    found = measured(given.weights, to_input(crops, spec.preprocessing)).astype(np.float16)
    if given.write:
        stream = io.BytesIO()
        np.save(stream, found)
        sface_int8.RANGES.write_bytes(stream.getvalue())
    shipped = np.load(sface_int8.RANGES).astype(np.float64)
    apart = np.abs(found - shipped).max(0) / (shipped[1] - shipped[0])
    figures = [
        common.figure("channels", found.shape[1], "{:.0f}"),
        common.figure("largest difference from the package's, of a channel's range", apart.max(), "{:.2g}", most=0.01),
    ]
    common.tell(figures, as_json=given.json)


def fairface(path: Path, split: str, count: int, crop: CropSpec) -> UInt8Array:
    """Random pictures of a split, cut as a model takes them: (count, H, W, 3) uint8 RGB."""
    assert crop.template is not None
    points = (np.array([crop.template], np.float32) - crop.width / 2) * np.float32(SCALE) + crop.width / 2
    face = Detections(np.array([[0, 0, crop.width, crop.height]], np.float32), np.ones(1, np.float32), points)
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith(f"{split}/"))
        chosen = random.Random(1).sample(names, count)
        pictures = (decode(archive.read(name), name, Limits()) for name in chosen)
        return np.concatenate([cutting.cut(picture, face, crop) for picture in pictures])


def measured(weights: Path, inputs: FloatArray) -> FloatArray:
    """The least and the greatest value before each activation, (2, channels), the layers one after the other."""
    import onnx

    layers = published_layers(weights)
    model = sface.float32(layers)
    names = [f"y{number}" for number in range(len(layers) - 1)]
    model.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    lows, highs = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sface.onnx"
        onnx.save(model, path)
        session = open_session(path)
        for start in range(0, len(inputs), BATCH):
            values = session.run({"crops": inputs[start : start + BATCH]})
            lows.append(np.concatenate([values[name].min((0, 2, 3)) for name in names]))
            highs.append(np.concatenate([values[name].max((0, 2, 3)) for name in names]))
    return np.stack([np.min(lows, 0), np.max(highs, 0)])


if __name__ == "__main__":
    main()
