"""A trial run of a user's model before it is taken in: its input and output must be those that are described."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from facecli.contract import DetectorPlugin
from facecli.errors import FacecliError, ModelError, UsageError, first_line

if TYPE_CHECKING:
    from pathlib import Path

    from facecli.contract import ModelSpec
    from facecli.hosting.registry import Registry
    from facecli.inference.session import OnnxSession
    from facecli.types import Detections, FloatArray

PICTURE = (480, 640)  # px, height and width of what a detector is tried on
SAME_BBOX = 1  # px that a bbox may move when two pictures are looked at together
CROPS_WITHOUT_BATCH = 2  # crops at once, for a file whose batch axis is free


def families(registry: Registry) -> dict[str, str]:
    """Return the values of `family`, each with a catalogued model of that layout of outputs.

    The values are names of detectors that have several models, and the ids of those models.
    """
    plugins = [
        registry.load("detectors", entry.name, DetectorPlugin)
        for entry in registry.entries("detectors")
        if entry.built_in
    ]
    several = [plugin for plugin in plugins if "model" in plugin.parameters]
    usual = {plugin.name: f"{plugin.name}/{plugin.parameters['model']}" for plugin in several}
    return usual | {spec.id: spec.id for plugin in several for spec in plugin.models}


def fill_detector(entry: dict[str, Any], registry: Registry) -> None:
    """Fill in a detector's preprocessing from its family if the entry has none; other kinds stay as they are.

    Raises UsageError if there is no such family.
    """
    from facecli.models import catalogue

    if entry.get("kind") != "detector":
        return
    models = families(registry)
    if entry.get("family") not in models:
        wrong = f"there is no family {entry['family']!s:.60}" if "family" in entry else "a detector needs its family"
        names = ", ".join(name for name in models if "/" not in name)
        raise UsageError(wrong, hint=f"{{family}} is one of {names}, or one of their models", about="family")
    usual = catalogue.load(models[entry["family"]]).preprocessing
    assert usual is not None
    stated = entry.get("preprocessing")
    entry["preprocessing"] = asdict(usual) | (stated if isinstance(stated, dict) else {})


def run(spec: ModelSpec, session: OnnxSession, name: str, registry: Registry) -> None:
    """Run a model once. name: the file's, for messages. Raises ModelError if it is not what its description says."""
    if spec.kind == "detector":
        _detect(spec, session, name, registry)
    else:
        _feed_crops(spec, session, name)


@dataclass(frozen=True, slots=True)
class _OneSessionRuntime:
    """A runtime that has one session, for a plugin of one model file."""

    only: OnnxSession
    threads: int = 1

    def session(self, _model_id: str, _file: str | None = None, *, threads: int | None = None) -> OnnxSession:
        """Return the session, whatever file is named."""
        del threads
        return self.only

    def model_path(self, model_id: str, _file: str | None = None) -> Path:
        """Raise NotImplementedError: no detector of a family asks for a path."""
        raise NotImplementedError(model_id)


def _detect(spec: ModelSpec, session: OnnxSession, name: str, registry: Registry) -> None:
    """Look at two pictures of noise at once: a file with a free batch axis must find in each what it finds alone."""
    import numpy as np

    from facecli.types import Image

    assert spec.family is not None
    plugin = registry.load("detectors", spec.family.partition("/")[0], DetectorPlugin)
    hint = "mend {family}, or export it with a batch of one"
    noise = np.random.default_rng(0).integers(0, 256, (2, *PICTURE, 3), np.uint8)
    pictures = [Image(pixels, "noise") for pixels in noise]
    try:
        detector = plugin.load(_OneSessionRuntime(session), {"model": spec, "score_threshold": 0.01})
        alone, together = [detector.detect([one])[0] for one in pictures], detector.detect(pictures)
    except FacecliError:
        raise
    except Exception as error:  # a decoder may do anything with the outputs of another network
        message = f"{name} does not work as a {spec.family}: {first_line(error)}"
        raise ModelError(message, hint=hint, about="family") from error
    if not all(map(_agree, alone, together)):
        message = f"{name} finds other faces in two pictures at once than in one"
        raise ModelError(message, hint=hint, about="family")


def _agree(one: Detections, other: Detections) -> bool:
    import numpy as np

    return len(one) == len(other) and np.allclose(one.bboxes, other.bboxes, atol=SAME_BBOX)


def _feed_crops(spec: ModelSpec, session: OnnxSession, name: str) -> None:
    """Run a recognizer or an attribute model on crops of noise."""
    import numpy as np

    from facecli.crops.preprocess import to_input

    assert spec.crop is not None and spec.preprocessing is not None
    if len(session.input_shapes) != 1:
        raise ModelError(f"{name} has {len(session.input_shapes)} inputs, not one", hint="it needs a plugin of its own")
    ((input_name, shape),) = session.input_shapes.items()
    count = shape[0] if shape and shape[0] else CROPS_WITHOUT_BATCH
    crops = np.random.default_rng(0).integers(0, 256, (count, spec.crop.height, spec.crop.width, 3), np.uint8)
    pixels = to_input(crops, spec.preprocessing)
    fits = len(shape) == 4 and all(n is None or n == m for n, m in zip(shape, pixels.shape, strict=True))
    if not fits:
        message = f"{name} takes {shape}, its description makes {pixels.shape}"
        raise ModelError(message, hint="mend {crop} or {layout}", about=("crop", "layout"))
    try:
        output = next(iter(session.run({input_name: pixels}).values()))
    except Exception as error:  # onnxruntime's errors share no base class
        hint = "is it a float32 model of face crops?"
        raise ModelError(f"{name} does not run: {first_line(error)}", hint=hint) from error
    width = spec.dim if spec.kind == "recognizer" else len(spec.labels) or 1
    if output.shape != (count, width) or output.dtype != np.float32 or not np.isfinite(output).all():
        message = f"{name} gives {output.shape} {output.dtype}, its description says {(count, width)} finite float32"
        raise ModelError(message, hint="mend {dim} or {labels}", about=("dim", "labels"))
    if spec.labels:
        _check_probabilities(spec, output, name)


def _check_probabilities(spec: ModelSpec, output: FloatArray, name: str) -> None:
    """Raise ModelError unless the output, (N, C), is probabilities exactly if the description says so."""
    from facecli.hosting.answers import probability_fault

    probable = probability_fault(output) is None
    if spec.logits and probable:
        raise ModelError(f"{name} gives probabilities already", hint="leave {logits} out", about="logits")
    if not spec.logits and not probable:
        hint = "add {logits} if only the softmax is missing"
        raise ModelError(f"{name} does not give probabilities", hint=hint, about="logits")
