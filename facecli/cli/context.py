"""What a command gets from the flags of the root command: an output, the plugins, the model store."""

from __future__ import annotations

import click

from facecli.cli import transfers
from facecli.cli.settings import OutputSettings, Settings, _root_flag
from facecli.errors import UsageError
from facecli.hosting.registry import Registry
from facecli.models.store import ModelStore
from facecli.output.sink import Sink


def open_output(settings: Settings | OutputSettings) -> Sink:
    """The sink that --format and --json ask for."""
    if settings.json and settings.format not in (None, "json"):
        raise UsageError(f"--json and --format {settings.format} exclude each other", hint="give one of them")
    sink = Sink("json" if settings.json else settings.format)
    opened = click.get_current_context().find_root().obj
    if isinstance(opened, list):
        opened.append(sink)  # the roof tells a failure there
    return sink


def registry() -> Registry:
    """The plugins that --no-plugins leaves."""
    return Registry(third_party=not _root_flag("no_plugins"))


def open_store(*, accept_licence: bool = False, progress: transfers.Progress | None = None) -> ModelStore:
    """The model store, offline if asked. progress: told what is fetched, instead of a line as each file begins."""
    return ModelStore(
        offline=True if _root_flag("offline") else None,
        accept_licence=True if accept_licence else None,
        progress=progress or transfers.announced(),
    )
