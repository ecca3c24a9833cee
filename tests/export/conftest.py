"""What the tests of facecli.export share: small recipes."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def small_recipe(torch, tmp_path) -> Callable:
    """A recipe of two networks with seeded random weights; `spoil(modules)` may change the exported ones."""
    from facecli.contract import ExportPart, ExportRecipe
    from facecli.export.networks import mtcnn

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


@pytest.fixture
def crop_recipe(torch, tmp_path) -> Callable:
    """A recipe of a small network from 32x32 crops to 8 outputs, as a recognizer or an attribute model.

    `spoil(module)` may change the exported network; the source it is compared with stays.
    """
    from copy import deepcopy

    import numpy as np

    from facecli.contract import CropSpec, ExportPart, ExportRecipe, ModelSpec, OperatingPoint, Preprocessing

    nn = torch.nn
    source = tmp_path / "crop.weights"
    source.write_bytes(b"crop")
    crop = CropSpec(32, 32, ((11, 14), (21, 14), (16, 20), (12, 25), (20, 25)))
    about = (crop, Preprocessing("RGB", (127.5,), (128.0,)))

    def sample(batch: int, variant: int):
        return (np.random.default_rng(batch).normal(0, 0.6, (batch, 3, 32, 32)).astype(np.float32),)

    def make(spoil: Callable = lambda _: None, kind: str = "recognizer", **changes) -> ExportRecipe:
        labels = tuple("abcdefgh") if kind == "attribute" else ()
        name = "mood/small" if labels else "small"
        spec = ModelSpec(
            *(name, kind, "for tests", (), "MIT", True, "here"),
            crop=crop,
            preprocessing=about[1],
            dim=None if labels else 8,
            attribute="mood" if labels else None,
            labels=labels,
            operating_point=None if labels else OperatingPoint("cosine", 0.5, "nobody", fmr=0.1, by_fmr=((0.1, 0.5),)),
        )

        def build(weights: Path | None) -> tuple[ExportPart, ...]:
            torch.manual_seed(3)
            layers = [nn.Conv2d(3, 16, 3, 2), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3, 2), nn.ReLU()]
            plain = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * 49, 8), *([nn.Softmax(1)] if labels else []))
            plain.eval()
            module = deepcopy(plain)
            with torch.no_grad():
                spoil(module)

            def reference(crops):
                with torch.inference_mode():
                    return (plain(torch.from_numpy(crops)).numpy(),)

            output = ("probabilities",) if labels else ("embeddings",)
            axes = {"crops": {0: "batch"}}
            return (ExportPart("small.onnx", module, ("crops",), output, sample, axes, source, reference=reference),)

        return ExportRecipe(
            **{"name": "small", "summary": "", "model": name, "build": build}
            | {"default_weights": "random", "licence": "MIT", "spec": spec}
            | changes
        )

    return make
