"""The models that the commands of `facecli models` know: the catalogue's, and those that plugins state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from facecli.errors import FacecliError, ModelError

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.models.bundle import Bundled
    from facecli.models.store import ModelStore


def every() -> list[ModelSpec]:
    """Every model: the catalogue's by id, then those that only a third party's plugin states."""
    from facecli.models import catalogue

    own = [catalogue.load(model_id) for model_id in catalogue.model_ids()]
    return [*own, *_foreign({spec.id for spec in own})]


def find(name: str) -> ModelSpec:
    """The model of this id. Raises ModelError if nobody knows it."""
    from facecli.models import catalogue

    try:
        return catalogue.load(name)
    except ModelError:
        for spec in _foreign(set()):
            if spec.id == name:
                return spec
        raise


def find_all(names: Iterable[str]) -> list[ModelSpec]:
    """The models of these ids, each once; an archive's name, with or without .zip, stands for the models in it."""
    found: dict[str, ModelSpec] = {}
    for name in names:
        for spec in _in_archive(name) or [find(name)]:
            found.setdefault(spec.id, spec)
    return list(found.values())


def _in_archive(name: str) -> list[ModelSpec]:
    from facecli.models.entries import shipped

    archives = shipped.archives()
    archive = archives.get(name) or archives.get(f"{name}.zip")
    return [] if archive is None else [spec for spec, _ in shipped.packed_in(archive)]


def _foreign(known: set[str]) -> list[ModelSpec]:
    """The models of third parties' plugins; a plugin that is broken is told elsewhere."""
    from facecli.cli import context
    from facecli.contract.plugin import PLUGINS

    registry = context.registry()
    found: dict[str, ModelSpec] = {}
    for entry in (entry for kind in PLUGINS for entry in registry.entries(kind) if not entry.built_in):
        try:
            specs = registry.load_entry(entry).models
        except FacecliError:
            continue
        found |= {spec.id: spec for spec in specs if spec.id not in known and spec.id not in found}
    return [found[model_id] for model_id in sorted(found)]


def size_of(spec: ModelSpec) -> int | None:
    """Bytes of all files of a model; None if one of them is not known."""
    sizes = [file.size for file in spec.files]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def described(spec: ModelSpec, store: ModelStore) -> dict[str, Any]:
    """What a list says of a model."""
    state = store.state(spec)
    return {
        "id": spec.id,
        "kind": spec.kind,
        "installed": state == "installed",
        "state": state,
        "licence": spec.licence,
        "commercial_use": spec.commercial_use,
        "size": size_of(spec),
        "summary": spec.summary,
    }


def bundled(model: Bundled) -> dict[str, Any]:
    """What is told of a model in a bundle."""
    return {"id": model.id, "licence": model.licence, "files": list(model.files)}
