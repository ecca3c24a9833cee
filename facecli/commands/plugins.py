"""`facecli plugins`: what is installed, what is broken and whose fault it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from facecli.commands import _options as options

if TYPE_CHECKING:
    from facecli.registry import PluginEntry, Registry


@click.group()
def command() -> None:
    """List, explain and check plugins."""


@command.command("list")
@options.output_options
def list_plugins(**kwargs: Any) -> None:
    """Every plugin found, ours and others'; a broken one with the reason and its distribution."""
    from facecli import records
    from facecli.commands import _work
    from facecli.registry import KINDS

    sink = _work.open_output(options.Settings(**kwargs))
    registry = _work.registry()
    with sink.opened():
        rows = [_summary(entry, *_load(registry, entry)) for kind in KINDS for entry in registry.entries(kind)]
    for error in registry.unreadable:
        _work.tell("plugins", error)
    unreadable = [error.message for error in registry.unreadable]
    sink.document(records.header("plugins.list", plugins=rows, unreadable=unreadable), rows)


@command.command()
@click.argument("name")
@options.output_options
def info(name: str, **kwargs: Any) -> None:
    """What a plugin is, what it needs and which parameters it takes."""
    from facecli import records
    from facecli.commands import _work

    sink = _work.open_output(options.Settings(**kwargs))
    registry = _work.registry()
    with sink.opened():
        known = [_detail(registry, entry) for entry in _named(registry, name)]
    rows = [{"field": key, "value": value} for one in known for key, value in one.items() if value is not None]
    sink.document(records.header("plugins.info", plugins=known), rows)


@command.command()
@click.argument("name")
@click.option("--picture", metavar="FILE", help="A picture with a face to check with; one is made up otherwise.")
@options.output_options
def check(name: str, picture: str | None, **kwargs: Any) -> int:
    """Run the conformance kit on a plugin."""
    from facecli import images, records
    from facecli.commands import _work
    from facecli.errors import UsageError
    from facecli.sources import single
    from facecli.testing import run_checks
    from facecli.types import Limits

    sink = _work.open_output(options.Settings(**kwargs))
    with sink.opened():
        registry = _work.registry()
        kinds = {entry.kind for entry in _named(registry, name)} & {"detectors", "recognizers", "attributes"}
        entries = [registry.entry(kind, name) for kind in sorted(kinds)]
        if not entries:
            raise UsageError(
                f"{name} is no detector, recognizer or attribute model", hint="these are what the kit checks"
            )
        face = images.decode(single(picture).read(Limits()), picture, Limits()) if picture else None
        results = [(e, r) for e in entries for r in run_checks(e.name, e.kind, picture=face)]
    rows = [{"kind": e.kind, "check": r.name, "passed": r.passed, "detail": r.detail} for e, r in results]
    sink.document(records.header("plugins.check", plugin=name, checks=rows), rows)
    return 0 if all(r.passed for _, r in results) else 1


def _named(registry: Registry, name: str) -> list[PluginEntry]:
    from facecli.errors import PluginError
    from facecli.registry import KINDS

    found = [entry for kind in KINDS for entry in registry.entries(kind) if entry.name == name]
    if not found:
        raise PluginError(f"there is no plugin {name!r}", hint="`facecli plugins list` names them all")
    return found


def _load(registry: Registry, entry: PluginEntry) -> tuple[Any, str | None]:
    """The descriptor (None for a command, which has none) and why it is broken, if it is."""
    from facecli.cli import COMMANDS
    from facecli.errors import PluginError

    if entry.kind == "commands" and entry.name in COMMANDS:
        return None, f"the name {entry.name!r} belongs to facecli itself ({entry.origin} can not take it)"
    try:
        if entry.kind == "commands":
            registry.add_command(entry, click.Group("trial"))
            return None, None
        return registry.load_entry(entry), None
    except PluginError as error:
        return None, error.message


def find_problem(registry: Registry, entry: PluginEntry) -> str | None:
    """Why a plugin is broken, or None."""
    return _load(registry, entry)[1]


def _summary(entry: PluginEntry, descriptor: Any, problem: str | None) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "distribution": entry.distribution,
        "version": entry.version,
        "summary": getattr(descriptor, "summary", None),
        "problem": problem,
    }


def _detail(registry: Registry, entry: PluginEntry) -> dict[str, Any]:
    descriptor, _ = loaded = _load(registry, entry)
    return _summary(entry, *loaded) | {
        "module": entry.module,
        "parameters": {name: _plain(value) for name, value in getattr(descriptor, "parameters", {}).items()},
        "models": [spec.id for spec in getattr(descriptor, "models", ())],
    }


def _plain(value: object) -> object:
    """A parameter's default as JSON has it, or as text: a plugin may have one that JSON can not hold."""
    from facecli.report import dumps

    try:
        dumps(value)
    except (TypeError, ValueError):
        return str(value)
    return value
