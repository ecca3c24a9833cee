"""TODO: facecli.hosting.attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facecli.errors import ModelError, PluginError, UsageError

if TYPE_CHECKING:
    from facecli.contract import AttributePlugin
    from facecli.hosting.registry import Registry
    from facecli.models.store import ModelStore


def resolve(name: str, registry: Registry, store: ModelStore) -> str:
    """The plugin for "emotion" (the first installed model of it, one in the wheel first) or "emotion/x" (that one).

    Raises UsageError for an attribute that no plugin has, ModelError if none of its models is installed.
    """
    if "/" in name:
        return name
    names = list(dict.fromkeys(entry.name for entry in registry.entries("attributes")))
    candidates = [candidate for candidate in names if candidate.partition("/")[0] == name]
    if not candidates:
        from facecli.faces.measures import MEASURES

        known = ", ".join(sorted({*MEASURES, *(candidate.partition("/")[0] for candidate in names)}))
        raise UsageError(f"there is no attribute {name!r}", hint=f"there is {known}")
    from facecli.models.store import how_to_get

    working = [plugin for candidate in candidates if (plugin := _load(candidate, registry)) is not None]
    # As the names are sorted; what came in the wheel is ours and free for any use, and what a user adds beside it he
    # names.
    for plugin in sorted(working, key=lambda plugin: not _embedded(plugin)):
        if all(store.state(spec) == "installed" for spec in plugin.models):
            return plugin.name
    absent = ([spec for spec in plugin.models if store.state(spec) != "installed"] for plugin in working)
    hint = next(filter(None, (how_to_get(*specs) for specs in absent if specs)), None)
    raise ModelError(f"no {name} model is installed; there is {', '.join(candidates)}", hint=hint)


def _embedded(plugin: AttributePlugin) -> bool:
    return bool(plugin.models) and all(file.path is not None for spec in plugin.models for file in spec.files)


def _load(name: str, registry: Registry) -> AttributePlugin | None:
    from facecli.contract import AttributePlugin

    try:
        return registry.load("attributes", name, AttributePlugin)
    except PluginError:  # somebody else's broken model is told by `plugins list`; it does not stop the others
        return None
