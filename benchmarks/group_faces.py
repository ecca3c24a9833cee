"""Embeddings of FairFace's faces and of LFW, by several recognizers at once, kept for the next run.

FairFace's pictures are crops already: a face that the detector does not find in them again is cut by its known points.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import common
import numpy as np

from facecli.contract import RecognizerPlugin
from facecli.crops import cutting
from facecli.errors import NoFaceError
from facecli.hosting.choice import Choice
from facecli.hosting.loader import Loader
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.models.store import ModelStore
from facecli.pictures import codec
from facecli.pictures.listing import expand
from facecli.pipeline.flow import Flow
from facecli.pipeline.river import Pipeline
from facecli.types import Detections, FloatArray, Limits

ARCFACE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
# Pictures of people of whom the split has another one: one of each pair within a group of adults that sface,
# mobilefacenet and dlib-resnet all find closer than a cosine distance of 0.36, 0.40 and 0.055. Nearly all of the 64
# pairs that are closest by sface show one person twice, as a look at them tells.
TWICE = frozenset((Path(__file__).parent / "fairface_twice.txt").read_text().split())
POINTS = 56 + np.float32(0.9) * (np.array([ARCFACE], np.float32) - 56)  # of every face in FairFace's crops, px


def labels(fairface: Path) -> dict[str, dict[str, str]]:
    """Return the row of each picture of FairFace's split val but TWICE, by the last part of its name."""
    with common.folder(fairface) as root, next(root.rglob("labels.csv")).open() as file:
        rows = {row["file"].rpartition("/")[2]: row for row in csv.DictReader(file) if row["split"] == "val"}
    return {name: row for name, row in rows.items() if name not in TWICE}


def toolbox(detector: str, names: Sequence[str]) -> Toolbox:
    loader = Loader(Registry(third_party=False), ModelStore(), device="cpu", threads=1)
    tools = Toolbox(Choice(detector, names[0], further_recognizers=tuple(names[1:])), loader)
    tools.wait()
    return tools


def embedded(
    tools: Toolbox, data: Path, pattern: str, cache: Path | None, count: int | None = None
) -> dict[str, dict[str, FloatArray]]:
    """Return the embedding (dim,) of each picture's middle face by each recognizer: recognizer -> file name -> it.

    cache: a folder that keeps them; what it has of all these recognizers is not computed again. count: so many of the
    pictures, taken by chance, but the same each time.
    """
    part = [] if count is None else [pattern, count]
    kept = (
        {}
        if cache is None
        else {plugin.name: cache / _key(tools, plugin, data, part) for plugin in tools.recognizer_plugins}
    )
    if kept and all(path.is_file() for path in kept.values()):
        return {name: _read(path) for name, path in kept.items()}
    with common.folder(data) as root:
        paths = sorted(root.glob(pattern))
        chosen = range(len(paths)) if count is None else np.random.default_rng(0).permutation(len(paths))[:count]
        found = list(_run(tools, [paths[place] for place in chosen]))
    embeddings = {
        plugin.name: {name: rows[place] for name, rows in found}
        for place, plugin in enumerate(tools.recognizer_plugins)
    }
    for name, path in kept.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, names=np.array(list(embeddings[name])), rows=np.stack(list(embeddings[name].values())))
    return embeddings


def _key(tools: Toolbox, plugin: RecognizerPlugin, data: Path, part: Sequence[object]) -> str:
    """Return a file's name for what the embeddings depend on: the data, and detector and recognizer as they run."""
    assert tools.detector_plugin is not None
    told = [data.name, tools.parameters(tools.detector_plugin), tools.identity(plugin), *part]
    return f"{hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]}.npz"


def _read(path: Path) -> dict[str, FloatArray]:
    with np.load(path) as arrays:
        return dict(zip(arrays["names"].tolist(), arrays["rows"], strict=True))


def _run(tools: Toolbox, paths: Sequence[Path]) -> Iterator[tuple[str, list[FloatArray]]]:
    """Yield each picture's name with its face's embeddings; a face that is not found is cut by its known points.

    Of FairFace's training split, all are cut so.
    """
    if paths[0].parent.name == "train":
        yield from ((path.name, _by_points(tools, path)) for path in paths)
        return
    unfound = 0
    results = Pipeline(tools, Flow(faces="center")).run(expand([str(path) for path in paths]))
    for path, result in zip(paths, results, strict=True):
        found = [rows[0] for rows in (result.embeddings, *result.further_embeddings) if rows is not None and len(rows)]
        if found:
            yield path.name, found
        elif isinstance(result.error, NoFaceError) and path.parent.name == "val":
            unfound += 1
            yield path.name, _by_points(tools, path)
    print(f"# {len(paths)} pictures; no face found again in {unfound}, which were cut by their known points")


def _by_points(tools: Toolbox, path: Path) -> list[FloatArray]:
    """Return the embeddings (dim,) of the face of one of FairFace's crops."""
    image = codec.decode(path.read_bytes(), path.name, Limits())
    face = Detections(np.array([[0, 0, image.width, image.height]], np.float32), np.ones(1, np.float32), POINTS)
    recognizers = zip(tools.recognizers, tools.recognizer_plugins, strict=True)
    return [model.embed(cutting.cut(image, face, plugin.crop))[0] for model, plugin in recognizers]
