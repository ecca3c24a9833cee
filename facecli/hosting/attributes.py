"""The plugin that answers an attribute such as "emotion": which of several models, and whether it is installed."""

from __future__ import annotations

from collections.abc import Sequence

from facecli.contract import AttributePlugin, ModelSpec
from facecli.errors import ModelError, PluginError, UsageError
from facecli.hosting.registry import Registry
from facecli.models.store import ModelStore, how_to_get


def resolve(name: str, registry: Registry, store: ModelStore) -> str:
    """Return the name of the plugin for an attribute: ATTRIBUTE/MODEL, which may be stated already.

    Candidates in alphabetical order, but models in the wheel first: they are free for any use. The first whose models
    are installed is taken; a user who prefers another names it.
    Raises UsageError for an attribute that no plugin has, ModelError if none of its models is installed.
    """
    if "/" in name:
        return name
    names = list(dict.fromkeys(entry.name for entry in registry.entries("attributes")))
    candidates = [candidate for candidate in names if _attribute(candidate) == name]
    if not candidates:
        from facecli.faces.measures import MEASURES  # imports OpenCV, for a message alone

        attributes = ", ".join(sorted({*MEASURES, *map(_attribute, names)}))
        raise UsageError(f"there is no attribute {name!r}", hint=f"there is {attributes}")
    plugins = [plugin for candidate in candidates if (plugin := _loaded(candidate, registry)) is not None]
    for plugin in sorted(plugins, key=lambda plugin: not _in_a_wheel(plugin)):
        if all(store.state(spec) == "installed" for spec in plugin.models):
            return plugin.name
    hint = _first_hint(plugins, store)
    raise ModelError(f"no {name} model is installed; there is {', '.join(candidates)}", hint=hint)


def _attribute(name: str) -> str:
    return name.partition("/")[0]


def _loaded(name: str, registry: Registry) -> AttributePlugin | None:
    try:
        return registry.load("attributes", name, AttributePlugin)
    except PluginError:  # `plugins list` shows it; a third party's broken model does not stop the others
        return None


def _in_a_wheel(plugin: AttributePlugin) -> bool:
    return bool(plugin.models) and all(file.path is not None for spec in plugin.models for file in spec.files)


def _first_hint(plugins: Sequence[AttributePlugin], store: ModelStore) -> str | None:
    """Return how to get the models of one of the plugins: the least that can be pulled, else the first known way."""
    missing = ([spec for spec in plugin.models if store.state(spec) != "installed"] for plugin in plugins)
    ways = [(way, specs) for specs in missing if specs and (way := how_to_get(*specs))]
    pulled = [(_size(specs), way) for way, specs in ways if way.startswith("facecli models pull ")]
    return min(pulled)[1] if pulled else next((way for way, _ in ways), None)


def _size(specs: Sequence[ModelSpec]) -> int:
    return sum(file.size or 0 for spec in specs for file in spec.files)
