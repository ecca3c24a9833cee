"""Recipe `mtcnn`: the three networks of facenet-pytorch's wheel."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.export.weights.source import packaged, require_sha256

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facecli.export.networks.mtcnn import Network

# sha256 of the states in facenet-pytorch 2.5.3's wheel.
SOURCES = {
    "pnet": "a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f",
    "rnet": "bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86",
    "onet": "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d",
}
# P-Net's sizes of input for the proof: height, width in px. 12x12 is the least; odd sizes test the pool's edge.
PROPOSAL_SIZES = ((50, 60), (13, 12), (121, 94))
OUTPUTS = ("probability", "regression", "landmarks")
# Output -> its free axes beside the batch: P-Net has a row and a column for each of its windows.
PLACES = {"probability": (1, 2), "regression": (2, 3)}


def build(weights: Path | None) -> tuple[ExportPart, ...]:
    """Return P-, R- and O-Net from a folder with pnet.pt, rnet.pt and onet.pt, by default from facenet-pytorch's."""
    from facecli.export.networks.mtcnn import o_net, p_net, r_net

    sizes = {"pnet": PROPOSAL_SIZES, "rnet": ((24, 24),), "onet": ((48, 48),)}
    networks = {"pnet": p_net, "rnet": r_net, "onet": o_net}
    return tuple(_part(name, networks[name](), _source(name, weights), sizes[name]) for name in SOURCES)


def _source(name: str, weights: Path | None) -> Path:
    if weights is not None:
        return weights / f"{name}.pt"
    source = packaged("facenet_pytorch", f"data/{name}.pt", "facenet-pytorch==2.5.3")
    require_sha256(source, SOURCES[name])
    return source


def _part(name: str, plain: Network, source: Path, sizes: tuple[tuple[int, int], ...]) -> ExportPart:
    import torch

    from facecli.export.networks.mtcnn import Exported
    from facecli.export.weights.state import load_state

    notes = load_state(plain.eval(), source)

    def reference(pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        with torch.inference_mode():
            return tuple(output.numpy() for output in plain(torch.from_numpy(pixels)))

    outputs = OUTPUTS[: len(plain.heads)]
    return ExportPart(
        file=f"mtcnn_{name}.onnx",
        module=Exported(plain).eval(),
        input_names=("pixels",),
        output_names=outputs,
        sample=partial(_pixels, sizes),
        dynamic_axes={"pixels": {0: "batch"} | ({2: "height", 3: "width"} if len(sizes) > 1 else {})},
        output_axes={name: {0: "batch", **(_places(name) if len(sizes) > 1 else {})} for name in outputs},
        reference=reference,
        source=source,
        notes=notes,
    )


def _places(output: str) -> dict[int, str]:
    return {axis: f"{output}_{axis}" for axis in PLACES[output]}


def _pixels(sizes: tuple[tuple[int, int], ...], batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    import numpy as np

    height, width = sizes[variant]
    values = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, 3, height, width))
    return (values.astype(np.float32),)


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """Return the one recipe."""
    return [
        ExportRecipe(
            name="mtcnn",
            summary="MTCNN's P-, R- and O-Net from facenet-pytorch's weights",
            model="mtcnn",
            build=build,
            default_weights="the three states in the installed facenet-pytorch 2.5.3",
            licence="MIT",
        )
    ]
