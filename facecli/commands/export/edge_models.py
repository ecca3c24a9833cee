"""The plugins and model files that an edge file or a bundle is made of, and the making of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from facecli.cli import context
from facecli.commands.export.edge import refuse_cascade
from facecli.contract import AttributeClassifier, AttributePlugin, DetectorPlugin, ModelSpec, RecognizerPlugin
from facecli.contract.plugin import PLUGINS, Plugin
from facecli.errors import ExportError
from facecli.export.edge.make import EdgeFile, make_edge_file
from facecli.export.edge.request import EdgeRequest, edge_parameters
from facecli.export.proof.samples import PORTRAITS
from facecli.hosting.attributes import resolve
from facecli.hosting.choice import DETECTOR, RECOGNIZER, Choice
from facecli.hosting.loader import Loader
from facecli.hosting.toolbox import Toolbox
from facecli.models.disk.work import work_folder

if TYPE_CHECKING:
    from facecli.commands.export.edge import EdgeJob
    from facecli.export.bundle.manifest import Member
    from facecli.export.bundle.write import Bundle


@dataclass(frozen=True, slots=True)
class PluginModel:
    """A plugin with one of its models, and the parameters of the plugin in an edge file."""

    plugin: Plugin
    spec: ModelSpec
    parameters: Mapping[str, Any]


def is_model(name: str) -> bool:
    """Return whether a plugin runs a model of this name; a detector's may be FAMILY or FAMILY/MODEL."""
    registry = context.registry()
    kinds = [registry.names(kind) for kind in PLUGINS]
    return any(name in names for names in kinds) or name.partition("/")[0] in kinds[0]


def choose(name: str, job: EdgeJob) -> PluginModel:
    """Return the plugin that runs a model. name: the model's id; for a detector also the plugin's."""
    registry = context.registry()
    plugin: Plugin
    if name in registry.names("recognizers"):
        plugin = registry.load("recognizers", name, RecognizerPlugin)
    elif name in registry.names("attributes"):
        plugin = registry.load("attributes", name, AttributePlugin)
    else:
        plugin = registry.load("detectors", name.partition("/")[0], DetectorPlugin)
    variant = name.removeprefix(f"{plugin.name}/") if name != plugin.name else None
    model = {"model": variant} if variant else {}
    parameters = edge_parameters(plugin, {**model, **job.parameters.get(plugin.name, {})})
    model_id = f"{plugin.name}/{parameters['model']}" if "model" in parameters else plugin.name
    spec = next((spec for spec in plugin.models if spec.id == model_id), None)
    if spec is None:
        models = ", ".join(spec.id for spec in plugin.models) or "no catalogued model"
        raise ExportError(f"{plugin.name} has no model {model_id} to embed or bundle", hint=f"it has {models}")
    return PluginModel(plugin, spec, parameters)


def embed(job: EdgeJob, name: str, folder: Path, network: Path | None = None, *, mobile: bool = False) -> EdgeFile:
    """Write a model's edge file. network: a file that was just exported; None: the installed one. mobile: also .ort."""
    if "/" not in name and not is_model(name):
        name = resolve(name, context.registry(), context.open_store())  # such as emotion
    return _embed(job, choose(name, job), network, folder, mobile=mobile)


def _embed(job: EdgeJob, model: PluginModel, network: Path | None, folder: Path, *, mobile: bool = False) -> EdgeFile:
    spec = model.spec
    refuse_cascade(spec)
    path = network or context.open_store().path(spec)
    request = EdgeRequest(path, model.plugin, spec, model.parameters, job.samples or PORTRAITS)
    return make_edge_file(request, folder, mobile=mobile)


def bundle(job: EdgeJob, target: Path, model: str | None) -> tuple[Bundle, dict[str, Any]]:
    """Write a bundle. Return it with the ids of its detector, recognizer and attribute models.

    model: replaces the default of its kind; None for none.
    """
    from facecli.export.bundle import proof, write

    registry, store = context.registry(), context.open_store()
    spec = None if model is None else choose(model, job).spec
    own = {} if spec is None else {spec.kind: spec.id}
    detector = choose(job.detector or own.get("detector") or DETECTOR, job)
    recognizer = job.recognizer or own.get("recognizer") or RECOGNIZER
    attributes = [resolve(name, registry, store) for name in job.attributes]
    attributes += [name for kind, name in own.items() if kind == "attribute" and name not in attributes]
    parameters = {**job.parameters, detector.plugin.name: detector.parameters}
    choice = Choice(detector.plugin.name, recognizer, tuple(attributes), parameters)
    tools = Toolbox(choice, Loader(registry, store, device="cpu", threads=1))
    assert tools.recognizer_plugin is not None
    tools.wait()
    with work_folder() as folder:
        classifiers = [choose(name, job) for name in attributes]
        members = [_member(job, one, folder) for one in (detector, choose(recognizer, job), *classifiers)]
        # `choose` has refused networks with several heads: none of them is called like its plugin.
        single = cast(tuple[AttributeClassifier, ...], tools.classifiers)
        pairs = list(zip(tools.attribute_plugins, single, strict=True))
        compared = proof.Tools(tools.detector, (tools.recognizer_plugin, tools.recognizer), pairs)
        written = write.write(
            target, members, web_runtime=job.web_runtime, prove=lambda staged: proof.prove(staged, compared)
        )
    ids = [member.spec.id for member in members]
    return written, {"detector": ids[0], "recognizer": ids[1], "attributes": ids[2:]}


def _member(job: EdgeJob, model: PluginModel, folder: Path) -> Member:
    """Return a model as a member of the bundle. If it needs preprocessing inside, its edge file is made in `folder`."""
    from facecli.export.bundle.manifest import CASCADE, Member, check

    spec, store = model.spec, context.open_store()
    check(spec)
    if spec.id != CASCADE and (job.embed or spec.kind == "detector"):
        file = _embed(job, model, None, folder)
        labels = model.plugin.labels if isinstance(model.plugin, AttributePlugin) else ()
        return Member(spec, (file.path,), (file.path.name,), model.parameters, embedded=True, labels=labels)
    files = tuple(store.path(spec, file.name) for file in spec.files)
    return Member(spec, files, tuple(file.name for file in spec.files), model.parameters)
