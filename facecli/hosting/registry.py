"""The plugins of this environment: facecli's own, the user's models, and third parties'.

A plugin is imported only when it is named, so that a broken one does not hurt the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from facecli.errors import PluginError
from facecli.hosting.entry_points import (
    OWN_DISTRIBUTION,
    USER_MODELS,
    PluginEntry,
    described_modules,
    own_text,
    plugin_entries,
    text_of,
)
from facecli.kinds import MODEL_KINDS, NOUNS, Kind
from facecli.system import environment, home
from facecli.version import __version__

if TYPE_CHECKING:
    from facecli.contract.command import CommandGroup

D = TypeVar("D")


class Registry:
    """The plugins of this environment, by kind and name.

    third_party: False leaves out the plugins of all other distributions, as FACECLI_NO_PLUGINS does.
    """

    def __init__(self, *, third_party: bool = True) -> None:
        self.third_party = third_party and not environment.flag("FACECLI_NO_PLUGINS")
        self._unreadable: list[PluginError] = []

    def entries(self, kind: Kind) -> list[PluginEntry]:
        """Return all plugins of a kind, facecli's own first, from metadata alone; names that clash are included."""
        return [entry for entry in (*self._own, *self._users, *self._foreign) if entry.kind == kind]

    def names(self, kind: Kind) -> list[str]:
        """Return the names of all plugins of a kind, sorted, each once."""
        return sorted({entry.name for entry in self.entries(kind)})

    @property
    def unreadable(self) -> list[PluginError]:
        """One error per distribution whose entry_points.txt is damaged, so that its plugins can not be listed."""
        _ = self._foreign  # reads the files
        return self._unreadable

    def entry(self, kind: Kind, name: str) -> PluginEntry:
        """Return the plugin that a name stands for: facecli's own, else the user's, else the one of a third party.

        Raises PluginError if there is none, or if several third parties have the name.
        """
        for entry in chain(self._own, self._users_of(kind)):  # one by one: a built-in plugin needs no scan of the rest
            if entry.kind == kind and entry.name == name:
                return entry
        foreign = [entry for entry in self._foreign if entry.kind == kind and entry.name == name]
        if not foreign:
            from facecli.hosting import neighbours

            raise PluginError(f"there is no {NOUNS[kind]} {name!r}", hint=neighbours.advice(kind, name, self))
        self._refuse_clash(foreign[0])
        return foreign[0]

    def load(self, kind: Kind, name: str, descriptor: type[D]) -> D:
        """Return the descriptor of a plugin by name. descriptor: the class of the kind's descriptors.

        Raises PluginError as `entry` and `load_entry` do.
        """
        loaded = self.load_entry(self.entry(kind, name))
        assert isinstance(loaded, descriptor)  # load_entry has checked it
        return loaded

    def load_entry(self, entry: PluginEntry) -> Any:
        """Return the descriptor of a plugin: of any kind. Raises PluginError if it is broken."""
        self._refuse_clash(entry)
        from facecli.hosting import hook_calls

        return hook_calls.load_descriptor(entry)

    def add_command(self, entry: PluginEntry, group: CommandGroup) -> None:
        """Let a command plugin add its command to a group. Raises PluginError if it is broken."""
        self._refuse_clash(entry)
        from facecli.hosting import hook_calls

        hook_calls.add_command(entry, group)

    @cached_property
    def _own(self) -> list[PluginEntry]:
        return list(plugin_entries(own_text(), OWN_DISTRIBUTION, __version__))

    @cached_property
    def _users(self) -> list[PluginEntry]:
        """The models that the user added. They are data that modules of ours run, so they are no third party's."""
        modules = described_modules(own_text())
        from facecli.models.disk.layout import Layout

        layout = Layout(home.folder())
        return [
            PluginEntry(kind, name, modules[kind], USER_MODELS, "")
            for model_kind, kind in MODEL_KINDS.items()
            for name in layout.described(model_kind)
            if not self._has_built_in(kind, name)
        ]

    def _has_built_in(self, kind: Kind, name: str) -> bool:
        return any(entry.kind == kind and entry.name == name for entry in self._own)

    def _users_of(self, kind: Kind) -> Iterator[PluginEntry]:
        if kind in MODEL_KINDS.values():  # the user's folder is read only for these
            yield from self._users

    @cached_property
    def _foreign(self) -> list[PluginEntry]:
        if not self.third_party:
            return []
        import importlib.metadata

        distributions = {OWN_DISTRIBUTION}
        entries: list[PluginEntry] = []
        for distribution in importlib.metadata.distributions():
            text = text_of(distribution)
            # Most distributions have no plugins for facecli, and their metadata is not read.
            # Test with `in`: indexing a distribution without a Name warns on Python 3.12 and fails later.
            has_plugins = "[facecli." in text and "Name" in distribution.metadata
            name = distribution.metadata["Name"] if has_plugins else None
            if not name or name in distributions:  # Python imports the first of a name on sys.path
                continue
            distributions.add(name)
            try:
                entries += list(plugin_entries(text, name, distribution.version))  # all of them or none
            except ValueError as error:
                damage = PluginError(f"{name} has a damaged entry_points.txt", hint=f"reinstall {name}")
                damage.__cause__ = error
                self._unreadable.append(damage)
        return sorted(entries, key=lambda entry: (entry.name, entry.origin))  # a folder has no order of its own

    def _refuse_clash(self, entry: PluginEntry) -> None:
        """Raise PluginError for a third party's plugin whose name facecli itself or another distribution has."""
        if entry.built_in or entry.distribution == USER_MODELS:
            return
        kind, name = entry.kind, entry.name
        if self._has_built_in(kind, name):
            from facecli.hosting import hook_calls

            raise hook_calls.broken(entry, f"the name {name!r} belongs to facecli itself")
        origins = sorted(rival.origin for rival in self._foreign if rival.kind == kind and rival.name == name)
        if len(origins) > 1:
            message = f"{NOUNS[kind]} {name!r} is offered twice, by {' and '.join(origins)}"
            raise PluginError(message, hint="uninstall one of them")
