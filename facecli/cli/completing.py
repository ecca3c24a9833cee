"""Completion of command lines in bash, zsh and fish: click's own, with the names of plugins and models."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from facecli.cli import context

if TYPE_CHECKING:
    import click

    from facecli.kinds import Kind

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_FACECLI_COMPLETE"  # a shell sets it when it asks what a word may become


def script(group: click.Group, shell: str) -> str:
    """Return the shell's code that asks facecli for completions. shell: one of SHELLS."""
    from click.shell_completion import get_completion_class

    maker = get_completion_class(shell)
    assert maker is not None
    return maker(group, {}, "facecli", VARIABLE).source()


def answer(group: click.Group) -> int | None:
    """Print the completions of the word that a shell is asking about, and return the exit code.

    None where no shell is asking.
    """
    instruction = os.environ.get(VARIABLE)
    if not instruction:
        return None
    from click.shell_completion import shell_complete

    return shell_complete(group, {"obj": []}, "facecli", VARIABLE, instruction)


def detectors(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the detectors whose names begin so."""
    return _named(ctx, "detectors", incomplete)


def trackers(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the trackers whose names begin so."""
    return _named(ctx, "trackers", incomplete)


def recognizers(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the recognizers whose names begin so."""
    return _named(ctx, "recognizers", incomplete)


def attributes(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the lists of attributes, models of them and measures whose last name begins so."""
    from facecli.faces.measures import MEASURES

    typed, comma, last = incomplete.rpartition(",")
    models = context.registry_of(ctx).names("attributes")
    names = dict.fromkeys([*(name.partition("/")[0] for name in models), *models, *MEASURES])
    return [f"{typed}{comma}{name}" for name in names if name.startswith(last)]


def plugins(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the plugins of any kind whose names begin so."""
    kinds: tuple[Kind, ...] = ("detectors", "recognizers", "attributes", "trackers", "recipes", "engines")
    return sorted({name for kind in kinds for name in _named(ctx, kind, incomplete)})


def engines(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the engines whose names begin so."""
    return _named(ctx, "engines", incomplete)


def recipes(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the export recipes whose names begin so."""
    return _named(ctx, "recipes", incomplete)


def models(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the models of the catalogue whose ids begin so."""
    from facecli.models.entries.shipped import model_ids

    return [name for name in model_ids() if name.startswith(incomplete)]


def _named(ctx: click.Context, kind: Kind, incomplete: str) -> list[str]:
    return [name for name in context.registry_of(ctx).names(kind) if name.startswith(incomplete)]
