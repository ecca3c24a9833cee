"""Recipe `retinaface`: the detector of biubug6/Face-Detector-1MB-with-landmark, MobileNet 0.25."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.export.weights.source import named, require_sha256

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIZES = ((96, 160), (64, 64), (160, 96))  # of the proof's inputs: height, width in px, multiples of the largest stride
# biubug6/Pytorch_Retinaface publishes a file of the same name with the same tensors, for a network with other
# activations and prior boxes: only the hash tells them apart.
SHA256 = "ed6fa7d45a5179f03cb5ce82c73b0c6711372968e53782e88395acee88d319e1"
MEAN = (104.0, 117.0, 123.0)  # BGR
OUTPUTS = ("boxes", "scores", "landmarks")


def build(weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network from mobilenet0.25_Final.pth. Raises ExportError for any other file."""
    from facecli.export.networks.retinaface import RetinaFace
    from facecli.export.weights.state import load_state

    weights = named(
        weights, "retinaface", "weights/mobilenet0.25_Final.pth of github.com/biubug6/Face-Detector-1MB-with-landmark"
    )
    network = RetinaFace().eval()
    notes = load_state(network, weights)
    require_sha256(weights, SHA256)
    part = ExportPart(
        file="retinaface_mobilenet0.25.onnx",
        module=network,
        input_names=("pixels",),
        output_names=OUTPUTS,
        sample=_pixels,
        dynamic_axes={"pixels": {0: "batch", 2: "height", 3: "width"}},
        output_axes={name: {0: "batch", 1: "priors"} for name in OUTPUTS},
        source=weights,
        notes=notes,
        tolerance=5e-5,  # the outputs are offsets of about 10, after some 50 layers
    )
    return (part,)


def _pixels(batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    import numpy as np

    values = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, *SIZES[variant], 3))
    return (np.ascontiguousarray((values - np.array(MEAN)).transpose(0, 3, 1, 2).astype(np.float32)),)


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """Return the one recipe."""
    return [
        ExportRecipe(
            name="retinaface",
            summary="RetinaFace with MobileNet 0.25, from a PyTorch state",
            model="retinaface/mobilenet0.25",
            build=build,
            default_weights=None,
            licence="MIT",
            detector="retinaface",
        )
    ]
