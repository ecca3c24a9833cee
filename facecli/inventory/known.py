"""Models by name: those of the catalogue, those of the user, and those that only a third party's plugin states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from facecli.errors import FacecliError, ModelError
from facecli.kinds import MODEL_KINDS

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.hosting.registry import Registry


def all_models(registry: Registry) -> list[ModelSpec]:
    """Return every model: the catalogue's and the user's by id, then those that only plugins state.

    Raises ModelError if an entry of the catalogue is damaged.
    """
    from facecli.models import catalogue

    own = [catalogue.load(model_id) for model_id in catalogue.model_ids()]
    return [*own, *_stated_by_plugins(registry, but={spec.id for spec in own})]


def find_model(model_id: str, registry: Registry) -> ModelSpec:
    """Return the model of this id, or the one that the plugin of this name runs by default.

    Raises ModelError if there is none.
    """
    from facecli.models import catalogue

    try:
        return catalogue.load(model_id)
    except ModelError as unknown:
        for spec in _stated_by_plugins(registry, but=set()):
            if spec.id == model_id:
                return spec
        if len(specs := _of_plugin(model_id, registry)) == 1:
            return specs[0]
        from facecli.hosting.neighbours import close_to

        close = close_to(model_id, catalogue.model_ids())
        raise ModelError(unknown.message, hint=f"there is {', '.join(close)}" if close else unknown.hint) from unknown


def find_models(names: Iterable[str], registry: Registry) -> list[ModelSpec]:
    """Return the models of these names, each once. Raises ModelError that tells all the names that there are not.

    names: ids; names of archives, with or without .zip, which stand for all models in them; and names of plugins, which
    stand for the models that they run by default.
    """
    from facecli.models import catalogue

    models: dict[str, ModelSpec] = {}
    unknown: dict[str, ModelError] = {}
    ids = set(catalogue.model_ids())
    for name in names:
        known = [] if name in ids else _in_archive(name) or _of_plugin(name, registry)
        try:
            models |= {spec.id: spec for spec in known or [find_model(name, registry)] if spec.id not in models}
        except ModelError as error:
            unknown[name] = error
    if unknown:
        errors = unknown.values()
        hints = dict.fromkeys(error.hint for error in errors if error.hint)
        raise ModelError(", ".join(error.message for error in errors), hint="; ".join(hints) or None)
    return list(models.values())


def size_of(spec: ModelSpec) -> int | None:
    """Return the bytes of all files of a model together, None if one size is not known."""
    sizes = [file.size for file in spec.files]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def _in_archive(name: str) -> list[ModelSpec]:
    from facecli.models.entries import shipped

    archives = shipped.archives()
    archive = archives.get(name) or archives.get(f"{name}.zip")
    return [] if archive is None else [spec for spec, _ in shipped.packed_in(archive)]


def _of_plugin(name: str, registry: Registry) -> list[ModelSpec]:
    """Return the models that the plugin of a name runs by default; none if no plugin has it, or it is broken."""
    from facecli.hosting.identity import models_in_use

    for kind in MODEL_KINDS.values():
        if name in registry.names(kind):
            try:
                plugin = registry.load_entry(registry.entry(kind, name))
            except FacecliError:
                return []
            return list(models_in_use(plugin, plugin.parameters))
    return []


def _stated_by_plugins(registry: Registry, *, but: set[str]) -> list[ModelSpec]:
    """Return the models of third parties' plugins by id, without the ids in `but`.

    A plugin that is broken states none; `facecli plugins list` reports it.
    """
    models: dict[str, ModelSpec] = {}
    for kind in MODEL_KINDS.values():
        for entry in registry.entries(kind):
            if entry.built_in:
                continue
            try:
                specs = registry.load_entry(entry).models
            except FacecliError:
                continue
            models |= {spec.id: spec for spec in specs if spec.id not in but and spec.id not in models}
    return [models[model_id] for model_id in sorted(models)]
