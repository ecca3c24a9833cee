"""A user's model is tried before it is taken in: its input and its output must be those that are described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from facecli.contract import ModelSpec
    from facecli.inference.session import OnnxSession
    from facecli.types import FloatArray

PICTURE = (480, 640)  # px, height and width of what a detector is tried on


def families() -> dict[str, str]:
    """What a detector's file may be like, and the catalogue's model that is so: detectors, or one model of theirs."""
    from facecli.cli import context
    from facecli.contract import DetectorPlugin

    registry = context.registry()
    plugins = [
        registry.load("detectors", entry.name, DetectorPlugin)
        for entry in registry.entries("detectors")
        if entry.built_in
    ]
    several = [p for p in plugins if "model" in p.parameters]
    usual = {p.name: f"{p.name}/{p.parameters['model']}" for p in several}
    return usual | {spec.id: spec.id for p in several for spec in p.models}


def fill_detector(entry: dict[str, Any]) -> None:
    """Say how a detector's pixels are prepared, where nobody has: as those of its family's own files are.

    Raises UsageError if there is no such family.
    """
    from dataclasses import asdict

    from facecli.errors import UsageError
    from facecli.models import catalogue

    if entry.get("kind") != "detector":
        return
    known = families()
    if entry.get("family") not in known:
        wrong = f"there is no family {entry['family']!s:.60}" if "family" in entry else "a detector needs its family"
        names = ", ".join(name for name in known if "/" not in name)
        raise UsageError(wrong, hint=f"--family is one of {names}, or one of their models")
    usual = catalogue.load(known[entry["family"]]).preprocessing
    assert usual is not None
    given = entry.get("preprocessing")
    entry["preprocessing"] = asdict(usual) | (given if isinstance(given, dict) else {})


def run(spec: ModelSpec, session: OnnxSession, name: str) -> None:
    """Run a model once. Raises ModelError, with the file's name, if it is not what its description says."""
    if spec.kind == "detector":
        _find_faces(spec, session, name)
    else:
        _judge_crops(spec, session, name)


@dataclass(frozen=True, slots=True)
class _Trial:
    """A runtime that has one session."""

    only: OnnxSession
    threads: int = 1

    def session(self, _model_id: str, _file: str | None = None, *, threads: int | None = None) -> OnnxSession:
        """The session, whatever is asked for."""
        del threads
        return self.only

    def model_path(self, model_id: str, _file: str | None = None) -> Path:
        """No detector of a family asks for this."""
        raise NotImplementedError(model_id)


def _find_faces(spec: ModelSpec, session: OnnxSession, name: str) -> None:
    """Two pictures of noise at once: a file with a free batch axis must find in each what it finds in it alone."""
    import numpy as np

    from facecli.cli import context
    from facecli.contract import DetectorPlugin
    from facecli.errors import FacecliError, ModelError, first_line
    from facecli.types import Image

    assert spec.family is not None
    plugin = context.registry().load("detectors", spec.family.partition("/")[0], DetectorPlugin)
    hint = "mend --family, or export it with a batch of one"
    noise = np.random.default_rng(0).integers(0, 256, (2, *PICTURE, 3), np.uint8)
    pictures = [Image(pixels, "noise") for pixels in noise]
    try:
        detector = plugin.load(_Trial(session), {"model": spec, "score_threshold": 0.01})
        alone, together = [detector.detect([one])[0] for one in pictures], detector.detect(pictures)
    except FacecliError:
        raise
    except Exception as error:  # whatever a decoder does with outputs of another network
        raise ModelError(f"{name} does not work as a {spec.family}: {first_line(error)}", hint=hint) from error
    same = all(
        len(one) == len(other) and np.allclose(one.bboxes, other.bboxes, atol=1)  # px
        for one, other in zip(alone, together, strict=True)
    )
    if not same:
        raise ModelError(f"{name} finds other faces in two pictures at once than in one", hint=hint)


def _judge_crops(spec: ModelSpec, session: OnnxSession, name: str) -> None:
    import numpy as np

    from facecli.crops.preprocess import to_input
    from facecli.errors import ModelError, first_line

    assert spec.crop is not None and spec.preprocessing is not None
    if len(session.input_shapes) != 1:
        raise ModelError(f"{name} has {len(session.input_shapes)} inputs, not one", hint="it needs a plugin of its own")
    ((given, shape),) = session.input_shapes.items()
    count = shape[0] if shape and shape[0] else 2
    crops = np.random.default_rng(0).integers(0, 256, (count, spec.crop.height, spec.crop.width, 3), np.uint8)
    pixels = to_input(crops, spec.preprocessing)
    fits = len(shape) == 4 and all(n is None or n == m for n, m in zip(shape, pixels.shape, strict=True))
    if not fits:
        raise ModelError(f"{name} takes {shape}, its description makes {pixels.shape}", hint="mend --crop or --layout")
    try:
        output = next(iter(session.run({given: pixels}).values()))
    except Exception as error:  # onnxruntime's errors share no base class
        hint = "is it a float32 model of face crops?"
        raise ModelError(f"{name} does not run: {first_line(error)}", hint=hint) from error
    width = spec.dim if spec.kind == "recognizer" else len(spec.labels) or 1
    if output.shape != (count, width) or output.dtype != np.float32 or not np.isfinite(output).all():
        what = f"{output.shape} {output.dtype}, its description says {(count, width)} finite float32"
        raise ModelError(f"{name} gives {what}", hint="mend --dim or --labels")
    if spec.labels:
        _judge_probabilities(spec, output, name)


def _judge_probabilities(spec: ModelSpec, output: FloatArray, name: str) -> None:
    from facecli.errors import ModelError

    ends_in_softmax = output.min() >= 0 and abs(output.sum(1) - 1).max() <= 1e-3
    if spec.logits and ends_in_softmax:
        raise ModelError(f"{name} gives probabilities already", hint="leave --logits out")
    if not spec.logits and not ends_in_softmax:
        raise ModelError(f"{name} does not give probabilities", hint="add --logits if only the softmax is missing")
