"""Recognizers: time and memory by batch size, and the same embeddings as InsightFace's own code from the same file.

Where insightface is installed, its ArcFaceONNX takes turns with ours on an IResNet whose weights are random, or on
--arcface FILE. A recognizer whose model is not installed gets its network with random weights, which takes as long, or
is left out. Each is measured in a process of its own, so that memory is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import common
import numpy as np

from facecli.contract import RecognizerPlugin
from facecli.crops import cutting
from facecli.errors import ModelError
from facecli.hosting.loader import make_runtime
from facecli.hosting.registry import Registry
from facecli.models import catalogue
from facecli.models.store import ModelStore
from facecli.pictures.codec import decode
from facecli.types import Limits, UInt8Array

NAMES = ("dlib-resnet", "mobilefacenet", "mobilefacenet-112x96", "sface", "arcface-w600k-mbf")
# Those whose network can be built here; the two of deepface from the shapes that its own code gave.
RANDOM = ("facenet-vggface2", "arcface-iresnet50", "openface", "facenet128")
SHAPES = Path(__file__).resolve().parents[1] / "tests" / "export" / "networks" / "deepface_answers.json"
BATCHES = (1, 8, 32)
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--recognizer", action="append", help="default: those whose models are at hand")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--layers", type=int, default=50, choices=[18, 34, 50, 100], help="of the random IResNet")
    options.add_argument("--arcface", type=Path, help="an ArcFace ONNX file to compare on instead")
    options.add_argument("--alone", help="measure one recognizer in this process and print JSON")
    given = options.parse_args()
    if given.alone:
        print(json.dumps(alone(given.alone, given.threads, given.rounds)))
        return
    figures = []
    for name in given.recognizer or (*NAMES, *RANDOM):
        with tempfile.TemporaryDirectory() as folder:
            env, kind = dict(os.environ), ""
            if name in RANDOM and ModelStore().state(catalogue.load(name)) != "installed":
                env["FACECLI_HOME"], kind = str(at_random(name, Path(folder))), " (random weights)"
            words = [sys.executable, __file__, "--alone", name, "--threads", str(given.threads)]
            words += ["--rounds", str(given.rounds)]
            done = subprocess.run(words, capture_output=True, text=True, check=False, env=env)
        if done.returncode:
            print(f"{name} is left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            continue
        for what, value in json.loads(done.stdout).items():
            figures.append(common.figure(f"{name}{kind}: {what}", value))
    if find_spec("insightface") is not None:
        figures += beside_insightface(given.arcface, given.layers, given.threads, given.rounds)
    common.tell(figures, as_json=given.json)


def alone(name: str, threads: int, rounds: int) -> dict[str, float]:
    """Milliseconds per crop and crops per second by batch, and the process's largest memory with its growth."""
    tools = common.toolbox(None, name, threads)
    assert tools.recognizer_plugin is not None
    model, crops = tools.recognizer, noise(tools.recognizer_plugin, max(BATCHES))
    loaded = common.peak_memory()
    turns = {str(batch): lambda b=batch: model.embed(crops[:b]) for batch in BATCHES}
    seconds = common.medians(common.interleaved(turns, rounds))
    told = {}
    for batch in BATCHES:
        each = seconds[str(batch)] / batch
        told |= {f"ms per crop, batch {batch}": each * 1e3, f"crops per second, batch {batch}": 1 / each}
    return told | {"MB of memory, loaded": loaded, "MB of memory, after the batches": common.peak_memory()}


def at_random(name: str, folder: Path) -> Path:
    """A store that has this recognizer with random weights."""
    path = folder / catalogue.load(name).files[0].name
    ModelStore(folder / "home").register(name, [exported(name, path)], {"made by": "a benchmark"})
    return folder / "home"


def exported(name: str, path: Path) -> Path:
    """The network of a recognizer with random weights as an ONNX file with a free batch axis, as its publisher's is."""
    import torch

    spec = catalogue.load(name)
    assert spec.crop is not None
    torch.manual_seed(0)
    crops = torch.zeros(1, 3, spec.crop.height, spec.crop.width)
    names = {"input_names": ["data"], "output_names": ["embedding"], "dynamic_axes": {"data": {0: "n"}}}
    torch.onnx.export(network(name).eval(), (crops,), str(path), dynamo=False, opset_version=17, **names)
    return path


def network(name: str) -> Any:
    """A network of RANDOM, in PyTorch."""
    if name.startswith("facenet-"):
        from facecli.export.networks.facenet import inception_resnet

        return inception_resnet()
    if name.startswith("arcface-iresnet"):
        from facecli.export.networks.iresnet import DEPTHS, IResNet

        return IResNet(DEPTHS[int(name.removeprefix("arcface-iresnet"))])
    from facecli.export.recipes.deepface import NETWORKS

    random = np.random.default_rng(0)
    layers = {
        layer: tuple(random.uniform(0.01, 0.1, shape).astype(np.float32) for _, shape in weights)
        for layer, weights in json.loads(SHAPES.read_text())[name]["layers"]
    }
    return next(one for one in NETWORKS if one.recipe == name).module(layers)


def beside_insightface(file: Path | None, layers: int, threads: int, rounds: int) -> list[common.Figure]:
    """InsightFace's ArcFaceONNX and our arcface-iresnet on the same file, the same aligned crops."""
    import cv2
    import onnxruntime
    from insightface.model_zoo.arcface_onnx import ArcFaceONNX

    with tempfile.TemporaryDirectory() as folder:
        path = file or exported(f"arcface-iresnet{layers}", Path(folder) / f"arcface-iresnet{layers}.onnx")
        store = ModelStore(Path(folder) / "home")
        model_id = f"arcface-iresnet{layers}"
        named = Path(folder) / catalogue.load(model_id).files[0].name
        if named != path:
            named.write_bytes(path.read_bytes())
        store.register(model_id, [named], {"made by": "a benchmark"})
        plugin = Registry(third_party=False).load("recognizers", model_id, RecognizerPlugin)
        ours = plugin.load(make_runtime([plugin], store, threads=threads), {})
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
        theirs = ArcFaceONNX(str(path), session)
        crops = np.concatenate([portraits(plugin), noise(plugin, max(BATCHES))])[: max(BATCHES)]
        bgr = [np.ascontiguousarray(crop[..., ::-1]) for crop in crops]  # what cv2.imread would have given it
        cv2.setNumThreads(threads)
        similarity = cosine(ours.embed(crops[:8]), np.concatenate([theirs.get_feat(crop) for crop in bgr[:8]]))
        figures = [common.figure("insightface: least cosine of 8 embeddings", similarity.min(), "{:.8f}", least=0.9999)]
        figures.append(aligned_alike(theirs, ours, plugin))
        batched = session.get_inputs()[0].shape[0] != 1
        for batch in BATCHES:
            some, same = crops[:batch], bgr[:batch]
            feed = (lambda s=same: theirs.get_feat(s)) if batched else (lambda s=same: [theirs.get_feat(c) for c in s])
            turns = {"ours": lambda c=some: ours.embed(c), "theirs": feed}
            rest = common.REST if threads > 1 else 0.0  # a single thread leaves none behind that spins
            seconds = common.medians(common.interleaved(turns, rounds, rest=rest, ahead=10))
            what = f"{path.stem}: times as fast as insightface, batch {batch}"
            figures.append(common.figure(what, seconds["theirs"] / seconds["ours"], "{:.2f}", least=1.0))
            for name, value in seconds.items():
                figures.append(common.figure(f"{path.stem}: {name}, ms per crop, batch {batch}", value * 1e3 / batch))
    return figures


def aligned_alike(theirs: Any, ours: Any, plugin: RecognizerPlugin) -> common.Figure:
    """From the same landmarks on: their norm_crop and network against our align and network."""
    from insightface.utils import face_align

    detector = common.toolbox("mtcnn", None, 1).detector
    similarities = []
    for path in sorted(EXAMPLES.glob("*.jpg")):
        image = decode(path.read_bytes(), path.name, Limits())
        found = detector.detect([image])[0].select([0])
        assert found.landmarks is not None
        crop = face_align.norm_crop(np.ascontiguousarray(image.pixels[..., ::-1]), found.landmarks[0], 112)
        own = ours.embed(cutting.cut(image, found, plugin.crop))
        similarities.append(cosine(own, theirs.get_feat(crop)).min())
    return common.figure("insightface: least cosine from the landmarks on", min(similarities), "{:.6f}")


def portraits(plugin: RecognizerPlugin) -> UInt8Array:
    """The sample portraits as crops of this size."""
    pictures = [decode(path.read_bytes(), path.name, Limits()) for path in sorted(EXAMPLES.glob("*.jpg"))]
    return np.concatenate([cutting.whole(picture, plugin.crop) for picture in pictures])


def noise(plugin: RecognizerPlugin, count: int) -> UInt8Array:
    shape = (count, plugin.crop.height, plugin.crop.width, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(1) / lengths)


if __name__ == "__main__":
    try:
        main()
    except ModelError as error:
        sys.exit(str(error))
