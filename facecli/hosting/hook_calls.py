"""Calling a plugin's hook. Whatever a plugin does wrong meanwhile becomes a PluginError that names its distribution."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator, Mapping

import pluggy

from facecli.contract import API_VERSION, EnginePlugin, ExportRecipe, hookspecs
from facecli.contract.command import CommandGroup
from facecli.contract.plugin import DESCRIPTORS, Descriptor
from facecli.errors import PluginError, class_and_first_line
from facecli.hosting.entry_points import USER_MODELS, PluginEntry
from facecli.hosting.statements import contradictions
from facecli.kinds import Kind

# The function in a plugin's module that facecli calls.
HOOKS: Mapping[Kind, str] = {
    "detectors": "facecli_detectors",
    "recognizers": "facecli_recognizers",
    "attributes": "facecli_attributes",
    "trackers": "facecli_trackers",
    "recipes": "facecli_export_recipes",
    "engines": "facecli_engines",
    "commands": "facecli_commands",
}


def load_descriptor(entry: PluginEntry) -> Descriptor:
    """Import the module of a plugin, call its hook and return the descriptor that has the entry point's name.

    Raises PluginError if the module or the hook fails, if no descriptor fits (other class, name or API version), or if
    one contradicts its own models.
    """
    hook = HOOKS[entry.kind]
    with _blaming(entry):
        descriptors = [item for result in _hooks(entry)(name=entry.name) for item in result]
    expected = DESCRIPTORS[entry.kind]
    for item in descriptors:
        if not isinstance(item, expected):
            raise broken(entry, f"{hook} must give {expected.__name__}, got {type(item).__name__}")
    fitting: list[Descriptor] = [item for item in descriptors if item.name == entry.name]
    if not fitting:
        names = ", ".join(repr(item.name) for item in descriptors) or "nothing"
        raise broken(entry, f"{hook} does not give {entry.name!r} but {names}")
    descriptor = fitting[0]
    if descriptor.api != API_VERSION:
        raise broken(entry, f"it is written for plugin API {descriptor.api}, this facecli has {API_VERSION}")
    if not isinstance(descriptor, (ExportRecipe, EnginePlugin)) and (problems := [*contradictions(descriptor)]):
        raise broken(entry, "; ".join(problems))
    return descriptor


def add_command(entry: PluginEntry, group: CommandGroup) -> None:
    """Let a command plugin add its command to a group.

    Raises PluginError if the module or the hook fails, or if it adds no command of the entry point's name.
    """
    with _blaming(entry):
        _hooks(entry)(group=group)
    if entry.name not in group.commands:
        raise broken(entry, f"{HOOKS[entry.kind]} does not add the command {entry.name!r}")


def broken(entry: PluginEntry, reason: str) -> PluginError:
    """Return the error for a plugin that can not be used; its hint depends on whose plugin it is."""
    hint = f"report it to the authors of {entry.distribution}"
    if entry.built_in:
        hint = "reinstall facecli"
    elif entry.distribution == USER_MODELS:
        hint = "`facecli models add` it again"
    return PluginError(f"{entry.title} is broken: {reason}", hint=hint)


@contextlib.contextmanager
def _blaming(entry: PluginEntry) -> Iterator[None]:
    """Turn what a plugin raises into a PluginError, and send what it prints to stderr."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (PluginError, KeyboardInterrupt):
        raise
    except pluggy.PluginValidationError as error:  # its message has several lines, and the last ones say what is wrong
        raise broken(entry, f"{type(error).__name__}: {' '.join(str(error).strip().splitlines())}") from error
    except BaseException as error:  # a Rust panic, pytest's Skipped and asyncio's CancelledError are no Exception
        raise broken(entry, class_and_first_line(error)) from error


def _hooks(entry: PluginEntry) -> pluggy.HookCaller:
    """Return what calls the hook of the entry's kind in the entry's module.

    Raises PluginValidationError for a hook that no hookspec has, ValueError if the module lacks the hook.
    """
    manager = pluggy.PluginManager("facecli")
    manager.add_hookspecs(hookspecs)
    manager.register(importlib.import_module(entry.module))
    manager.check_pending()  # finds a misspelled hook
    hook = HOOKS[entry.kind]
    caller: pluggy.HookCaller = getattr(manager.hook, hook)
    if not caller.get_hookimpls():
        raise ValueError(f"{entry.module} implements no hook {hook}")
    return caller
