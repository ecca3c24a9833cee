"""Finds plugins through entry points; loads the one that is named, and keeps a broken one from hurting the others."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from facecli import __version__, contract
from facecli.contract import hookspecs
from facecli.errors import PluginError
from facecli.hosting.entry_points import (
    OWN_DISTRIBUTION,
    USER,
    Kind,
    PluginEntry,
    _described,
    _entries,
    _entry_points,
    _own_entry_points,
    _singular,
)
from facecli.system import environment, home

if TYPE_CHECKING:
    import importlib.metadata

    import click


_HOOKS: dict[Kind, str] = {"recipes": "facecli_export_recipes"}  # the others are facecli_<kind>
_DESCRIPTORS: dict[Kind, type] = {
    "detectors": contract.DetectorPlugin,
    "recognizers": contract.RecognizerPlugin,
    "attributes": contract.AttributePlugin,
    "recipes": contract.ExportRecipe,
}
_MODEL_KINDS: dict[str, Kind] = {
    "detector": "detectors",
    "recognizer": "recognizers",
    "attribute": "attributes",
}  # that can be described as data
D = TypeVar("D")


class Registry:
    """The plugins of this environment. third_party=False: only facecli's own."""

    def __init__(self, *, third_party: bool = True) -> None:
        self.third_party = third_party and not environment.flag("FACECLI_NO_PLUGINS")
        self._unreadable: list[PluginError] = []

    @cached_property
    def _own(self) -> list[PluginEntry]:
        return list(_entries(OWN_DISTRIBUTION, __version__, _own_entry_points()))

    @cached_property
    def _users(self) -> list[PluginEntry]:
        """The models that the user has added: data that modules of ours run, so --no-plugins leaves them."""
        modules = dict(_described(_own_entry_points()))
        return [
            PluginEntry(kind, name, modules[kind], USER, "")
            for model_kind, kind in _MODEL_KINDS.items()
            for name in home.added(model_kind)
            if not any(own.kind == kind and own.name == name for own in self._own)
        ]

    @cached_property
    def _foreign(self) -> list[PluginEntry]:
        if not self.third_party:
            return []
        import importlib.metadata

        seen: set[str] = {OWN_DISTRIBUTION}
        found: list[PluginEntry] = []
        for distribution in importlib.metadata.distributions():
            text = _entry_points(distribution)
            # Only the few distributions that have plugins for us are looked at closer.
            # "in" first: a distribution without a name is a warning on Python 3.12, and then an error.
            named = "[facecli." in text and "Name" in distribution.metadata
            name = distribution.metadata["Name"] if named else None
            if name and name not in seen:  # the first on sys.path is the one that Python imports
                seen.add(name)
                try:
                    found += list(_entries(name, distribution.version, text))
                except ValueError as error:
                    told = PluginError(f"{name} has a damaged entry_points.txt", hint=f"reinstall {name}")
                    told.__cause__ = error
                    self._unreadable.append(told)
        return sorted(found, key=lambda entry: (entry.name, entry.origin))  # a folder has no order of its own

    @property
    def unreadable(self) -> list[PluginError]:
        """One error per distribution whose plugins can not even be listed."""
        _ = self._foreign  # looking for them is what finds these
        return self._unreadable

    def entries(self, kind: Kind) -> list[PluginEntry]:
        """All entries of a kind, ours first, stolen names included; from metadata, without importing a plugin."""
        return [entry for entry in (*self._own, *self._users, *self._foreign) if entry.kind == kind]

    def names(self, kind: Kind) -> list[str]:
        """The names that can be asked for."""
        return sorted({entry.name for entry in self.entries(kind)})

    def entry(self, kind: Kind, name: str) -> PluginEntry:
        """The entry that a name stands for: ours, else the user's, else the only foreign one. Raises PluginError."""
        for own in chain(self._own, self._users_of(kind)):  # in turn: a built-in costs no scan of what else is there
            if own.kind == kind and own.name == name:
                return own
        matches = [entry for entry in self._foreign if entry.kind == kind and entry.name == name]
        if not matches:
            known = ", ".join(self.names(kind)) or "none"
            raise PluginError(f"there is no {_singular(kind)} {name!r}", hint=f"installed: {known}")
        self._refuse_name(matches[0])
        return matches[0]

    def _users_of(self, kind: Kind) -> Iterator[PluginEntry]:
        if kind in _MODEL_KINDS.values():
            yield from self._users

    def load(self, kind: Kind, name: str, descriptor: type[D]) -> D:
        """The descriptor of a plugin, of class `descriptor`. Raises PluginError saying whose fault a failure is."""
        loaded = self.load_entry(self.entry(kind, name))
        assert isinstance(loaded, descriptor)  # load_entry has checked it
        return loaded

    def load_entry(self, entry: PluginEntry) -> Any:
        """The descriptor behind an entry; PluginError if it is broken in any way."""
        self._refuse_name(entry)
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
        self._refuse_name(entry)
        with _blame(entry):
            _manager(entry).hook.facecli_commands(group=group)
        if entry.name not in group.commands:
            raise _broken(entry, f"{_hook(entry.kind)} does not add the command {entry.name!r}")

    def _refuse_name(self, entry: PluginEntry) -> None:
        if entry.built_in or entry.distribution == USER:
            return
        kind, name = entry.kind, entry.name
        if any(own.kind == kind and own.name == name for own in self._own):
            raise _broken(entry, f"the name {name!r} belongs to facecli itself")
        owners = sorted(rival.origin for rival in self._foreign if rival.kind == kind and rival.name == name)
        if len(owners) > 1:
            told = f"{_singular(kind)} {name!r} is offered twice, by {' and '.join(owners)}"
            raise PluginError(told, hint="uninstall one of them")


@contextlib.contextmanager
def _blame(entry: PluginEntry) -> Any:
    """Whatever a plugin does at import or in its hook becomes a PluginError; what it prints goes to stderr."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        lines = str(error).strip().splitlines() or [""]
        # pluggy tells over several lines what is wrong with a hook; of other messages the first line is enough.
        text = " ".join(lines) if isinstance(error, pluggy.PluginValidationError) else lines[0]
        raise _broken(entry, f"{type(error).__name__}: {text}".rstrip(": ")) from error


def _broken(entry: PluginEntry, reason: str) -> PluginError:
    hint = f"report it to the authors of {entry.distribution}"
    if entry.built_in or entry.distribution == USER:
        hint = "reinstall facecli" if entry.built_in else "`facecli models add` it again"
    return PluginError(f"{entry.title} is broken: {reason}", hint=hint)


def _manager(entry: PluginEntry) -> pluggy.PluginManager:
    manager = pluggy.PluginManager("facecli")
    manager.add_hookspecs(hookspecs)
    manager.register(importlib.import_module(entry.module))
    manager.check_pending()  # a hook that is misspelled
    if not manager.subset_hook_caller(_hook(entry.kind), []).get_hookimpls():
        raise ValueError(f"{entry.module} implements no hook {_hook(entry.kind)}")
    return manager


def _call_hook(entry: PluginEntry) -> Iterable[Any]:
    for result in getattr(_manager(entry).hook, _hook(entry.kind))(name=entry.name):
        yield from result


def _hook(kind: Kind) -> str:
    return _HOOKS.get(kind, f"facecli_{kind}")
