"""Attribute models with their real weights: ms per batch, faces per second, and the same network in PyTorch in turns.

One thread each, in seconds of the processor: what others do on the machine does not count. Memory is the largest of a
process of its own that does nothing else. Our emotion model has no other project's code to be compared with.

The models must be installed (`facecli export minifasnet-v2 --weights FILE`, and so on); PyTorch's are read from the
weights in ../shared (or FACECLI_SHARED). pose and quality need none.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import common
import numpy as np

from facecli.contract import AttributePlugin, ExportRecipe
from facecli.crops.preprocess import to_input
from facecli.faces import measures
from facecli.hosting.loader import make_runtime
from facecli.hosting.registry import Registry
from facecli.models.store import ModelStore
from facecli.types import Detections, Image, UInt8Array

# Plugin -> its recipes, with the files that they read.
PLUGINS = {
    "emotion/mini-xception": {"mini-xception": "fer2013_mini_xception.hdf5"},
    "gender/mini-xception": {"gender-mini-xception": "gender_mini_xception.hdf5"},
    "spoof/minifasnet": {
        "minifasnet-v2": "2.7_80x80_MiniFASNetV2.pth",
        "minifasnet-v1se": "4_0_0_80x80_MiniFASNetV1SE.pth",
    },
}
OURS = "emotion/facecli-resnet"
BATCHES = (1, 8, 32)
CLOCK = time.process_time


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--alone", help="measure one model's memory in this process and print JSON")
    given = options.parse_args()
    if given.alone:
        print(json.dumps(memory(given.alone)))
        return
    import torch  # not where memory is measured

    torch.set_num_threads(1)
    registry = Registry(third_party=False)
    figures = []
    for name in (OURS, *PLUGINS):
        plugin, model = loaded(name)
        networks = [
            part.module.eval()
            for recipe, file in PLUGINS.get(name, {}).items()
            for part in registry.load("recipes", recipe, ExportRecipe).build(common.SHARED / "models" / file)
        ]
        for batch in BATCHES:
            figures += timed(plugin, model, networks, batch, given.rounds)
        words = [sys.executable, __file__, "--alone", name]
        told = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        figures += [common.figure(f"{name}: MB of memory, {when}", value, "{:.0f}") for when, value in told.items()]
    figures += measured(given.rounds)
    common.tell(figures, as_json=given.json)


def loaded(name: str) -> tuple[AttributePlugin, Any]:
    """A plugin, and its model at one thread."""
    plugin = Registry(third_party=False).load("attributes", name, AttributePlugin)
    return plugin, plugin.load(make_runtime((plugin,), ModelStore(), threads=1), dict(plugin.parameters))


def noise(plugin: AttributePlugin, batch: int) -> list[UInt8Array]:
    """Crops of random pixels for each of the model's inputs."""
    random = np.random.default_rng(batch)
    specs = (plugin.crop, *plugin.more_crops)
    return [random.integers(0, 256, (batch, s.height, s.width, 3), np.uint8) for s in specs]


def memory(name: str) -> dict[str, float]:
    """The largest memory of this process, MB: with the model loaded, and after a batch of each size."""
    plugin, model = loaded(name)
    told = {"loaded": common.peak_memory()}
    for batch in BATCHES:
        model.classify(*noise(plugin, batch))
        told[f"batch {batch}"] = common.peak_memory()
    return told


def timed(plugin: AttributePlugin, model: Any, networks: list[Any], batch: int, rounds: int) -> list[common.Figure]:
    crops = noise(plugin, batch)
    how = [spec.preprocessing for spec in plugin.models]

    def theirs() -> None:
        import torch

        with torch.inference_mode():
            for network, own, preprocessing in zip(networks, crops, how, strict=True):
                assert preprocessing is not None
                network(torch.from_numpy(to_input(own, preprocessing)))

    turns: dict[str, Callable[[], object]] = {"ours": lambda: model.classify(*crops)}
    if networks:
        turns["torch"] = theirs
    seconds = common.medians(common.interleaved(turns, rounds, clock=CLOCK))
    what = f"{plugin.name}, batch {batch}"
    told = [
        common.figure(f"{what}: ms", seconds["ours"] * 1000, "{:.2f}"),
        common.figure(f"{what}: faces/s", batch / seconds["ours"], "{:.0f}"),
    ]
    if networks:
        ratio = seconds["torch"] / seconds["ours"]
        told.append(common.figure(f"{what}: times as fast as the network in PyTorch", ratio, "{:.2f}", least=1))
    return told


def measured(rounds: int) -> list[common.Figure]:
    """Return the times of pose and quality, for ten faces of a picture of 1280x960 px."""
    random = np.random.default_rng(0)
    image = Image(random.integers(0, 256, (960, 1280, 3), np.uint8), "noise")
    corner = random.uniform(0, 700, (10, 2)).astype(np.float32)
    points = corner[:, None] + np.float32([[60, 80], [140, 80], [100, 120], [70, 170], [130, 170]])
    faces = Detections(np.concatenate([corner, corner + 200], 1), np.full(10, 0.9, np.float32), points)
    actions: dict[str, Callable[[], object]] = {
        name: lambda name=name: measures.of_faces(image, faces, [name]) for name in measures.MEASURES
    }
    seconds = common.medians(common.interleaved(actions, rounds, clock=CLOCK))
    return [common.figure(f"{name}: ms per face", value * 100, "{:.3f}") for name, value in seconds.items()]


if __name__ == "__main__":
    main()
