"""Plugins of detector families: descriptors that the host lists, and detectors that it loads from them."""

from __future__ import annotations

from functools import partial

from facecli.contract import DetectorPlugin, ModelSpec, Parameters, Runtime
from facecli.errors import UsageError
from facecli.models import catalogue
from facecli.models.entries import shipped
from facecli.plugins.single_shot.detector import SingleShotDetector
from facecli.plugins.single_shot.family import Family
from facecli.plugins.single_shot.parameters import DetectorParameters


def family_plugin(family: Family) -> DetectorPlugin:
    """Return the plugin of a family, with all its models in the catalogue; the parameter `model` chooses one."""
    prefix = f"{family.name}/"
    specs = [catalogue.load(name) for name in shipped.model_ids() if name.startswith(prefix)]
    models = {spec.id.removeprefix(prefix): spec for spec in specs}
    return DetectorPlugin(
        family.name,
        family.summary,
        partial(_load_chosen, family, models),
        landmarks=True,
        models=tuple(specs),
        parameters=family.parameters,
    )


def model_plugin(family: Family, spec: ModelSpec) -> DetectorPlugin:
    """Return the plugin of one model outside the catalogue: a detector of the model's name."""
    parameters = {name: value for name, value in family.parameters.items() if name != "model"}
    load = partial(_load, family, spec)
    return DetectorPlugin(spec.id, spec.summary, load, landmarks=True, models=(spec,), parameters=parameters)


def _load_chosen(
    family: Family, models: dict[str, ModelSpec], runtime: Runtime, parameters: Parameters
) -> SingleShotDetector:
    """Load the model that the parameter `model` names. It may also be a ModelSpec: of a model that is on trial."""
    others = {"model": family.model, **parameters}
    name = others.pop("model")
    spec = name if isinstance(name, ModelSpec) else models.get(str(name))
    if spec is None:
        raise UsageError(f"{family.name} has no model {name!r}", hint=f"it has {', '.join(models)}")
    return _load(family, spec, runtime, others)


def _load(family: Family, spec: ModelSpec, runtime: Runtime, parameters: Parameters) -> SingleShotDetector:
    values = {**family.parameters, **parameters}
    del values["model"]
    return SingleShotDetector(family, spec, runtime.session(spec.id), DetectorParameters(**values))
