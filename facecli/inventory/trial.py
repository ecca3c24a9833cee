"""A trial run of a user's model before it is taken in: its input and output must be those that are described."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from facecli.contract import DetectorPlugin
from facecli.errors import FacecliError, ModelError, UsageError
from facecli.inference.reasons import told

if TYPE_CHECKING:
    from pathlib import Path

    from facecli.contract import ModelSpec
    from facecli.hosting.registry import Registry
    from facecli.inference.session import OnnxSession
    from facecli.models.store import ModelStore
    from facecli.types import Detections

PICTURE = (480, 640)  # px, height and width of what a detector is tried on
SAME_BBOX = 1  # px that a bbox may move when two pictures are looked at together


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
    """Try a model. name: the file's, for messages.

    Raises ModelError if it is not what its description says, or can not be right. A model whose description says too
    little is not tried: a third party's detector, or crops that its plugin prepares in a way of its own.
    """
    from facecli.inventory import crop_trial
    from facecli.models.selftests import recorded

    family = (spec.family or spec.id).partition("/")[0]
    if spec.kind == "detector":
        if any(entry.built_in and entry.name == family for entry in registry.entries("detectors")):
            _detect(spec, session, name, registry.load("detectors", family, DetectorPlugin))
    elif spec.crop is not None and spec.preprocessing is not None:
        crop_trial.run(spec, session, name)
    recorded.record(session, spec)  # raises if it does not run on that, either


def run_installed(spec: ModelSpec, store: ModelStore, registry: Registry) -> None:
    """Try a model of one ONNX file that the store has. Raises as `run` does, and ModelError if it does not load."""
    from facecli.inference.session import open_session
    from facecli.models.selftests import recorded

    if len(spec.files) == 1 and recorded.applies(spec.files[0]):
        (file,) = spec.files
        run(spec, open_session(store.path(spec, file.name), name=file.name), file.name, registry)


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


def _detect(spec: ModelSpec, session: OnnxSession, name: str, plugin: DetectorPlugin) -> None:
    """Look at two pictures of noise alone and together: each must have its own faces, in any company."""
    import numpy as np

    from facecli.types import Image

    hint = "mend {family}, or export it with a batch of one"
    noise = np.random.default_rng(0).integers(0, 256, (2, *PICTURE, 3), np.uint8)
    pictures = [Image(pixels, "noise") for pixels in noise]
    try:
        detector = plugin.load(_OneSessionRuntime(session), {"model": spec, "score_threshold": 0.01})
        alone, together = [detector.detect([one])[0] for one in pictures], detector.detect(pictures)
    except FacecliError:
        raise
    except Exception as error:  # a decoder may do anything with the outputs of another network
        message = f"{name} does not work as a {spec.family or spec.id}: {told(error)}"
        raise ModelError(message, hint=hint, about="family") from error
    if not all(map(_agree, alone, together)):
        message = f"{name} finds other faces in two pictures at once than in one"
        raise ModelError(message, hint=hint, about="family")
    if len(alone[0]) and _agree(*alone):
        message = f"{name} finds the same faces in different pictures"
        raise ModelError(message, hint="were its weights lost when it was made?")


def _agree(one: Detections, other: Detections) -> bool:
    import numpy as np

    return len(one) == len(other) and np.allclose(one.bboxes, other.bboxes, atol=SAME_BBOX)
