"""The one reader of click's context: a command's sink, plugins and store, and which options were typed."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from facecli.errors import AlignmentWarning, UsageError
from facecli.system.streams import print_error

if TYPE_CHECKING:  # imported by the functions: --help must not pay for them
    from collections.abc import Callable

    from facecli.cli import transfers
    from facecli.cli.settings import OutputSettings
    from facecli.hosting.registry import Registry
    from facecli.models.store import ModelStore
    from facecli.output.sink import Sink


def open_sink(output: OutputSettings, *, silent: bool = False) -> Sink:
    """Return the sink for a command's results; from now on a failure of the command is shown there, too.

    silent: stdout gets nothing unless a format was typed, because the command writes its results elsewhere.
    """
    from facecli.output.sink import Sink

    if output.json and output.format not in (None, "json"):
        raise UsageError(f"--json and --format {output.format} exclude each other", hint="give one of them")
    chosen = "json" if output.json else output.format
    typed_format = chosen if output.json or typed("format") else None
    if output.path is not None:
        from facecli.output.file_sink import FileSink

        _refuse_inputs(output.path)
        sink: Sink = FileSink(output.path, typed_format, _nothing if output.quiet else print_error)
    elif silent and typed_format is None:
        sink = Sink("jsonl", Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 # as long as the process
    else:
        sink = Sink(chosen)
    _tell_warnings(quiet=output.quiet)
    opened = click.get_current_context().find_root().obj
    if isinstance(opened, list):
        opened.append(sink)  # cli.main shows a failure there
    return sink


def _tell_warnings(*, quiet: bool) -> None:
    """Print warnings of ours as lines on stderr, once each; not with --quiet."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        print_error(str(message))

    warnings.simplefilter("ignore" if quiet else "default", AlignmentWarning)
    warnings.showwarning = show


def _refuse_inputs(target: Path) -> None:
    """Raise UsageError if a file to write is one that an argument or another option names, such as a list of pairs."""
    from facecli.output.overwriting import refuse_inputs

    for name, value in click.get_current_context().params.items():
        if name != "path":
            named = value if isinstance(value, tuple) else (getattr(value, "name", value),)
            refuse_inputs(target, [one for one in named if isinstance(one, (str, Path))], "output")


def _nothing(_line: str) -> None:
    """Print nothing."""


def registry() -> Registry:
    """Return the plugins, without third parties' if --no-plugins was given."""
    return registry_of(click.get_current_context())


def registry_of(ctx: click.Context) -> Registry:
    """Return what `registry` returns, for a context that is not entered yet."""
    from facecli.hosting.registry import Registry

    return Registry(third_party=not ctx.find_root().params.get("no_plugins", False))


def open_store(*, accept_licence: bool = False, progress: transfers.Progress | None = None) -> ModelStore:
    """Return the model store, offline if --offline was given.

    progress: called with every chunk that is fetched; without it, one line per file is printed when it begins.
    """
    from facecli.cli import transfers
    from facecli.models.store import ModelStore

    return ModelStore(
        offline=True if root_flag("offline") else None,
        accept_licence=True if accept_licence else None,
        progress=progress or transfers.line_per_file(),
    )


def typed(name: str) -> bool:
    """Return whether a parameter of the running command was typed, and does not come from a default or a variable."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def defaulted(name: str) -> bool:
    """Return whether a parameter of the running command has its default: neither typed nor from a variable."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.DEFAULT


def root_flag(name: str) -> bool:
    """Return whether a flag of the root command was given, such as "debug"."""
    return bool(click.get_current_context().find_root().params.get(name))


def at_the_end(close: Callable[[], object]) -> None:
    """Call something when the command ends, in whatever way."""
    click.get_current_context().call_on_close(close)
