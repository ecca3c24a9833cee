"""Attribute models with their real weights: ms per batch, faces per second, and the same network in PyTorch in turns.

One thread each, in seconds of the processor: what others do on the machine does not count.

The models must be installed (`facecli export minifasnet-v2 --weights FILE`, and so on); PyTorch's are read from the
weights in ../shared (or FACECLI_SHARED). pose and quality need none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import common
import numpy as np
import torch

from facecli import measures
from facecli.contract import AttributePlugin, ExportRecipe
from facecli.models.store import ModelStore
from facecli.plugins.onnx import to_input
from facecli.registry import Registry
from facecli.toolbox import make_runtime
from facecli.types import Detections, Image

# Plugin -> its recipes, with the files that they read.
PLUGINS = {
    "emotion/mini-xception": {"mini-xception": "fer2013_mini_xception.hdf5"},
    "gender/mini-xception": {"gender-mini-xception": "gender_mini_xception.hdf5"},
    "spoof/minifasnet": {
        "minifasnet-v2": "2.7_80x80_MiniFASNetV2.pth",
        "minifasnet-v1se": "4_0_0_80x80_MiniFASNetV1SE.pth",
    },
}
BATCHES = (1, 8, 32)
CLOCK = time.process_time


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--rounds", type=int, default=15)
    given = options.parse_args()
    torch.set_num_threads(1)
    registry = Registry(third_party=False)
    figures = []
    for name, sources in PLUGINS.items():
        plugin = registry.load("attributes", name, AttributePlugin)
        model: Any = plugin.load(make_runtime((plugin,), ModelStore(), threads=1), {})
        networks = [
            part.module.eval()
            for recipe, file in sources.items()
            for part in registry.load("recipes", recipe, ExportRecipe).build(common.SHARED / "models" / file)
        ]
        for batch in BATCHES:
            figures += timed(plugin, model, networks, batch, given.rounds)
    figures += measured(given.rounds)
    common.tell(figures, as_json=given.json)


def timed(plugin: AttributePlugin, model: Any, networks: list[Any], batch: int, rounds: int) -> list[common.Figure]:
    random = np.random.default_rng(batch)
    specs = (plugin.crop, *plugin.more_crops)
    crops = [random.integers(0, 256, (batch, s.height, s.width, 3), np.uint8) for s in specs]
    how = [spec.preprocessing for spec in plugin.models]

    def theirs() -> None:
        with torch.inference_mode():
            for network, own, preprocessing in zip(networks, crops, how, strict=True):
                assert preprocessing is not None
                network(torch.from_numpy(to_input(own, preprocessing)))

    seconds = common.medians(
        common.interleaved({"ours": lambda: model.classify(*crops), "torch": theirs}, rounds, clock=CLOCK)
    )
    what = f"{plugin.name}, batch {batch}"
    return [
        common.figure(f"{what}: ms", seconds["ours"] * 1000, "{:.2f}"),
        common.figure(f"{what}: faces/s", batch / seconds["ours"], "{:.0f}"),
        common.figure(
            f"{what}: times as fast as the network in PyTorch", seconds["torch"] / seconds["ours"], "{:.2f}", least=1
        ),
    ]


def measured(rounds: int) -> list[common.Figure]:
    """pose and quality of ten faces of a picture of 1280x960 px."""
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
