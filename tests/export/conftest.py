"""What the tests of facecli.export share: torch or a skip that says so, a small recipe."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def torch():
    pytest.importorskip("onnxscript", reason="an export needs facecli[export]: onnxscript is not installed")
    return pytest.importorskip("torch", reason="an export needs facecli[export]: torch is not installed")


@pytest.fixture
def small_recipe(torch, tmp_path) -> Callable:
    """A recipe of two networks with seeded random weights; `spoil(modules)` may change the exported ones."""
    from facecli.contract import ExportPart, ExportRecipe
    from facecli.export import mtcnn

    def part(name: str, side: int, plain) -> ExportPart:
        import numpy as np

        source = tmp_path / f"{name}.weights"
        source.write_bytes(name.encode())
        free = {2: "height", 3: "width"} if name == "p" else {}

        def sample(batch: int, variant: int):
            generator = np.random.default_rng(100 * batch + variant)
            shape = (batch, 3, side + 3 * variant, side + variant)
            return (generator.integers(0, 256, shape).astype(np.float32),)

        def reference(pixels):
            with torch.inference_mode():
                return tuple(output.numpy() for output in plain(torch.from_numpy(pixels)))

        outputs = ("probability", "regression")
        axes = {"pixels": {0: "batch"} | free}
        module = mtcnn.Exported(plain).eval()
        return ExportPart(f"{name}.onnx", module, ("pixels",), outputs, sample, axes, source, reference=reference)

    def make(spoil: Callable = lambda *_: None) -> ExportRecipe:
        def build(weights: Path | None) -> tuple[ExportPart, ...]:
            torch.manual_seed(7)
            parts = (part("p", 40, mtcnn.p_net().eval()), part("r", 24, mtcnn.r_net().eval()))
            with torch.no_grad():
                spoil(*(one.module for one in parts))
            return parts

        return ExportRecipe("small", "for tests", "small", build, "random", "MIT")

    return make
