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
    """Return the model of this id. Raises ModelError if there is none."""
    from facecli.models import catalogue

    try:
        return catalogue.load(model_id)
    except ModelError:
        for spec in _stated_by_plugins(registry, but=set()):
            if spec.id == model_id:
                return spec
        raise


def find_models(names: Iterable[str], registry: Registry) -> list[ModelSpec]:
    """Return the models of these names, each once. Raises ModelError for a name that there is not.

    names: ids, and names of archives, with or without .zip, which stand for all models in them.
    """
    models: dict[str, ModelSpec] = {}
    for name in names:
        for spec in _in_archive(name) or [find_model(name, registry)]:
            models.setdefault(spec.id, spec)
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
