"""Recipe `yunet`: the detector of ShiqiYu/libfacedetection.train, YuNet-n."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.export.weights.source import named

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIZES = ((96, 160), (64, 64), (160, 96))  # of the proof's inputs: height, width in px, multiples of the largest stride
STRIDES = (8, 16, 32)


def build(weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network from yunet_n.pth."""
    from facecli.export.networks.yunet import HEADS, YuNet
    from facecli.export.weights.state import load_state

    weights = named(weights, "yunet", "weights/yunet_n.pth of github.com/ShiqiYu/libfacedetection.train")
    network = YuNet().eval()
    notes = load_state(network, weights)
    outputs = [(f"{head}_{stride}", stride) for head in HEADS for stride in STRIDES]  # the published names
    part = ExportPart(
        file="yunet_n.onnx",
        module=network,
        input_names=("input",),
        output_names=tuple(name for name, _ in outputs),
        sample=_pixels,
        dynamic_axes={"input": {0: "batch", 2: "height", 3: "width"}},
        output_axes={name: {0: "batch", 1: f"cells_{stride}"} for name, stride in outputs},
        source=weights,
        notes=notes,
    )
    return (part,)


def _pixels(batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    import numpy as np

    values = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, 3, *SIZES[variant]))
    return (values.astype(np.float32),)


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """Return the one recipe."""
    return [
        ExportRecipe(
            name="yunet",
            summary="YuNet-n, from a PyTorch state",
            model="yunet/n-exported",
            build=build,
            default_weights=None,
            licence="Apache-2.0",
            detector="yunet",
        )
    ]
