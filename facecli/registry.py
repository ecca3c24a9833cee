"""Finds plugins through entry points; loads the one that is named, and keeps a broken one from hurting the others."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import pluggy

from facecli import contract, hookspecs
from facecli.errors import PluginError

if TYPE_CHECKING:
    import click

Kind = Literal["detectors", "recognizers", "attributes", "recipes", "commands"]
KINDS: tuple[Kind, ...] = ("detectors", "recognizers", "attributes", "recipes", "commands")
OWN_DISTRIBUTION = "facecli"

_HOOKS: dict[Kind, str] = {"recipes": "facecli_export_recipes"}  # the others are facecli_<kind>
_DESCRIPTORS: dict[Kind, type] = {
    "detectors": contract.DetectorPlugin,
    "recognizers": contract.RecognizerPlugin,
    "attributes": contract.AttributePlugin,
    "recipes": contract.ExportRecipe,
}
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class PluginEntry:
    """An entry point as the metadata tells it; nothing of the plugin has been imported."""

    kind: Kind
    name: str
    module: str
    distribution: str
    version: str
    point: importlib.metadata.EntryPoint

    @property
    def built_in(self) -> bool:
        """Whether it comes with facecli itself."""
        return self.distribution == OWN_DISTRIBUTION

    @property
    def origin(self) -> str:
        """Whose plugin it is, for messages: "distribution version"."""
        return f"{self.distribution} {self.version}"


class Registry:
    """The plugins of this environment. third_party=False: only facecli's own."""

    def __init__(self, *, third_party: bool = True) -> None:
        self.third_party = third_party and os.environ.get("FACECLI_NO_PLUGINS", "0") in ("", "0")

    @cached_property
    def _own(self) -> list[PluginEntry]:
        return list(_entries(importlib.metadata.distribution(OWN_DISTRIBUTION)))

    @cached_property
    def _foreign(self) -> list[PluginEntry]:
        if not self.third_party:
            return []
        seen: set[str] = {OWN_DISTRIBUTION}
        found = []
        for distribution in importlib.metadata.distributions():
            name = distribution.metadata["Name"] if _has_facecli_entries(distribution) else None
            if name and name not in seen:  # the first on sys.path is the one that Python imports
                seen.add(name)
                found += _entries(distribution)
        return found

    def entries(self, kind: Kind) -> list[PluginEntry]:
        """All entries of a kind, ours first, stolen names included; from metadata, without importing a plugin."""
        return [entry for entry in (*self._own, *self._foreign) if entry.kind == kind]

    def names(self, kind: Kind) -> list[str]:
        """The names that can be asked for."""
        return sorted({entry.name for entry in self.entries(kind)})

    def entry(self, kind: Kind, name: str) -> PluginEntry:
        """The entry that a name stands for: ours if we have it, else the only foreign one. Raises PluginError."""
        for own in self._own:  # looked at first, so that a built-in never costs a scan of every distribution
            if own.kind == kind and own.name == name:
                return own
        matches = [entry for entry in self._foreign if entry.kind == kind and entry.name == name]
        if not matches:
            known = ", ".join(self.names(kind)) or "none"
            raise PluginError(f"there is no {_singular(kind)} {name!r}", hint=f"installed: {known}")
        if len(matches) > 1:
            owners = " and ".join(sorted(entry.origin for entry in matches))
            raise PluginError(f"{_singular(kind)} {name!r} is offered twice, by {owners}", hint="uninstall one of them")
        return matches[0]

    def load(self, kind: Kind, name: str, descriptor: type[D]) -> D:
        """The descriptor of a plugin (its class is `descriptor`). Raises PluginError saying whose fault a failure is."""
        loaded = self.load_entry(self.entry(kind, name))
        assert isinstance(loaded, descriptor)  # load_entry has checked it
        return loaded

    def load_entry(self, entry: PluginEntry) -> Any:
        """The descriptor behind an entry; PluginError if it is broken in any way."""
        self._refuse_stolen(entry)
        with _blame(entry):
            found = list(_call_hook(entry))
        expected = _DESCRIPTORS[entry.kind]
        for item in found:
            if not isinstance(item, expected):
                reason = f"{_hook(entry.kind)} must give {expected.__name__}, got {type(item).__name__}"
                raise _broken(entry, reason)
        mine = [item for item in found if item.name == entry.name]
        if not mine:
            given = ", ".join(repr(item.name) for item in found) or "nothing"
            raise _broken(entry, f"{_hook(entry.kind)} does not give {entry.name!r} but {given}")
        if mine[0].api != contract.API_VERSION:
            reason = f"it is written for plugin API {mine[0].api}, this facecli has {contract.API_VERSION}"
            raise _broken(entry, reason)
        return mine[0]

    def add_command(self, entry: PluginEntry, group: click.Group) -> None:
        """Let a command plugin add its command to the group. Raises PluginError if it is broken."""
        self._refuse_stolen(entry)
        with _blame(entry):
            _manager(entry).hook.facecli_commands(group=group)

    def _refuse_stolen(self, entry: PluginEntry) -> None:
        if not entry.built_in and any(own.kind == entry.kind and own.name == entry.name for own in self._own):
            raise _broken(entry, f"the name {entry.name!r} belongs to facecli itself")


@contextlib.contextmanager
def _blame(entry: PluginEntry) -> Any:
    """Whatever a plugin does at import or in its hook becomes a PluginError; what it prints goes to stderr."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        text = str(error).strip().splitlines()
        raise _broken(entry, f"{type(error).__name__}: {text[0] if text else ''}".rstrip(": ")) from error


def _broken(entry: PluginEntry, reason: str) -> PluginError:
    hint = f"report it to the authors of {entry.distribution}" if not entry.built_in else "reinstall facecli"
    return PluginError(f"{_singular(entry.kind)} {entry.name!r} of {entry.origin} is broken: {reason}", hint=hint)


def _manager(entry: PluginEntry) -> pluggy.PluginManager:
    manager = pluggy.PluginManager("facecli")
    manager.add_hookspecs(hookspecs)
    manager.register(entry.point.load())
    manager.check_pending()  # a hook that is misspelled
    if not manager.subset_hook_caller(_hook(entry.kind), []).get_hookimpls():
        raise ValueError(f"{entry.module} implements no hook {_hook(entry.kind)}")
    return manager


def _call_hook(entry: PluginEntry) -> Iterable[Any]:
    for result in getattr(_manager(entry).hook, _hook(entry.kind))():
        yield from result


def _hook(kind: Kind) -> str:
    return _HOOKS.get(kind, f"facecli_{kind}")


def _singular(kind: Kind) -> str:
    return {"attributes": "attribute model", "recipes": "export recipe"}.get(kind, kind[:-1])


def _entries(distribution: importlib.metadata.Distribution) -> Iterable[PluginEntry]:
    name, version = distribution.metadata["Name"], distribution.version
    for point in distribution.entry_points:
        kind = point.group.removeprefix("facecli.")
        if point.group.startswith("facecli.") and kind in KINDS:
            yield PluginEntry(kind, point.name, point.value, name, version, point)


def _has_facecli_entries(distribution: importlib.metadata.Distribution) -> bool:
    # One read of a small file; parsing the entry points of every distribution costs ten times as much.
    return "[facecli." in (distribution.read_text("entry_points.txt") or "")
