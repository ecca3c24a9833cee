"""Advice for a name that no plugin has: the names that are close to it, and which of them can work at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol

from facecli.errors import AbsentModelError, FacecliError
from facecli.hosting.identity import models_in_use
from facecli.kinds import MODEL_KINDS, Kind
from facecli.models.store import ModelStore, how_to_get

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.contract.plugin import Plugin
    from facecli.hosting.entry_points import PluginEntry

LIKENESS = 0.75  # difflib's ratio: a slip of the finger stays above it, another word that shares letters does not
PULL = "facecli models pull "


class Known(Protocol):
    """The plugins of this environment; hosting.registry.Registry is one, and asks for advice itself."""

    def names(self, kind: Kind) -> list[str]:
        """Return the names of all plugins of a kind."""

    def entry(self, kind: Kind, name: str) -> PluginEntry:
        """Return the plugin that a name stands for."""

    def load_entry(self, entry: PluginEntry) -> Any:
        """Return the descriptor of a plugin."""


def alike(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Return the names, at most so many, that a wrong one may be a slip of, the likest first."""
    return get_close_matches(name, [*names], most, LIKENESS)


def close_to(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that a wrong one may mean: those that begin with it, else those that are spelled alike."""
    names = list(names)
    return [one for one in names if name and one.startswith(name)] or alike(name, names)


def advice(kind: Kind, name: str, registry: Known) -> str:
    """Return which plugins a wrong name may mean, or all there are: those whose models are here, then the others."""
    names = registry.names(kind)
    names = close_to(name, names) or names
    if kind not in MODEL_KINDS.values():
        return f"there is {', '.join(names) or 'none'}"
    here: list[str] = []
    pulled: list[str] = []
    others: list[str] = []
    store = ModelStore()
    for one in names:
        try:
            plugin: Plugin = registry.load_entry(registry.entry(kind, one))
            missing = [spec for spec in models_in_use(plugin, plugin.parameters) if store.state(spec) != "installed"]
        except FacecliError:  # a broken plugin is none that could be meant
            continue
        way = how_to_get(*missing) if missing else None
        (here if not missing else pulled if way and way.startswith(PULL) else others).append(one)
    parts = (("here", here), (f"after `{PULL}NAME`", pulled), ("after an export", others))
    return "; ".join(f"{state}: {', '.join(found)}" for state, found in parts if found) or "there is none"


def all_absent(specs: Sequence[ModelSpec]) -> AbsentModelError:
    """Return the error for several models that are not installed: one command gets all that can be pulled.

    Models that must not be used commercially are named, and their licences accepted by that command.
    """
    names, restricted = [spec.id for spec in specs], [spec.id for spec in specs if not spec.commercial_use]
    message = f"models {', '.join(names)} are not installed"
    if restricted:
        message += f", and not for commercial use: {', '.join(restricted)}"
    hints = {spec.id: how_to_get(spec) for spec in specs}
    hint = ways(list(hints.values()))
    if hint and any((hints[name] or "").startswith(PULL) for name in restricted):
        pull, *others = hint.split("; ", 1)
        pulled = pull.removeprefix(PULL)
        hint = "; ".join([f"if you accept their licences: facecli models pull {pulled} --accept-license", *others])
    return AbsentModelError(message, hint=hint)


def ways(hints: Sequence[str | None]) -> str | None:
    """Return several hints at how to get models as one; all that can be pulled are pulled together, and first."""
    known = list(dict.fromkeys(hint for hint in hints if hint))
    pulled = [name for hint in known if hint.startswith(PULL) for name in hint.removeprefix(PULL).split()]
    others = [hint for hint in known if not hint.startswith(PULL)]
    return "; ".join(([PULL + " ".join(dict.fromkeys(pulled))] if pulled else []) + others) or None
