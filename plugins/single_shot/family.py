"""TODO: facecli.plugins.single_shot.family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from facecli.contract import DetectorPlugin, ModelSpec, Parameters, Runtime
from facecli.errors import UsageError
from facecli.models import catalogue
from facecli.models.entries import shipped
from facecli.plugins.single_shot.candidates import Decode, Layout, Shapes
from facecli.plugins.single_shot.detector import SMALL, OnnxDetector


@dataclass(frozen=True, slots=True)
class Family:
    """A detector's name, how its outputs are read, and its defaults.

    shapes: what the outputs must look like. model: the default one. others: the models, by name, whose files have
    another layout. one_scale: see `canvas.place`. inclusive: whether boxes are suppressed as older detectors count
    areas. multi_scale: what the parameter of this name is by default.
    """

    name: str
    summary: str
    decode: Decode
    shapes: Shapes
    model: str
    score_threshold: float
    nms_threshold: float
    size: int = 640
    one_scale: bool = False
    inclusive: bool = False
    multi_scale: str = "never"
    small_size: int = SMALL
    square: bool = False
    others: Mapping[str, Layout] = field(default_factory=dict)

    def layout(self, spec: ModelSpec) -> Layout:
        """That of a model; one of a user's names the catalogue's model that it is like, or the family."""
        like = spec.family or spec.id
        return self.others.get(like.removeprefix(f"{self.name}/"), Layout(self.decode, self.shapes))

    def plugin(self) -> DetectorPlugin:
        """The descriptor, with every model that the catalogue has of this family."""
        prefix = f"{self.name}/"
        specs = [catalogue.load(name) for name in shipped.model_ids() if name.startswith(prefix)]
        models = {spec.id.removeprefix(prefix): spec for spec in specs}
        load = partial(self._load, models)
        return DetectorPlugin(
            self.name, self.summary, load, landmarks=True, models=tuple(specs), parameters=self.parameters
        )

    def plugin_of(self, spec: ModelSpec) -> DetectorPlugin:
        """The descriptor of a model that is not the catalogue's: a detector of the model's name, without a choice."""
        parameters = {name: value for name, value in self.parameters.items() if name != "model"}
        load = partial(self._load, {}, model=spec)
        return DetectorPlugin(spec.id, spec.summary, load, landmarks=True, models=(spec,), parameters=parameters)

    @property
    def parameters(self) -> Parameters:
        """What OnnxDetector takes, and the model, with the family's defaults."""
        names = ("model", "size", "score_threshold", "nms_threshold", "multi_scale", "small_size", "square")
        return {name: getattr(self, name) for name in names}

    def _load(
        self, models: dict[str, ModelSpec], runtime: Runtime, given: Parameters, *, model: ModelSpec | None = None
    ) -> OnnxDetector:
        settings = {**self.parameters, **given}
        name = settings.pop("model")
        spec = model or (name if isinstance(name, ModelSpec) else models.get(str(name)))  # a spec: one that is on trial
        if spec is None:
            raise UsageError(f"{self.name} has no model {name!r}", hint=f"it has {', '.join(models)}")
        return OnnxDetector(self, spec, runtime.session(spec.id), **settings)
