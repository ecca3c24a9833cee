"""Advice for a word that no command line has: what it is close to, or where it belongs."""

from __future__ import annotations

from collections.abc import Iterable

import click


def for_option(error: click.NoSuchOption) -> str:
    """Return advice about an option that a command does not have."""
    ctx = error.ctx
    if ctx is None:
        return "see `facecli --help`"
    root = ctx.find_root()
    if ctx is not root and error.option_name in _options(root):
        words = ctx.command_path.removeprefix(f"{root.info_name} ")
        return f"write it before the command: `{root.info_name} {error.option_name} {words}`"
    return _advice(error.option_name, _options(ctx), ctx)


def for_command(ctx: click.Context, name: str) -> str:
    """Return advice about a command that a group does not have."""
    assert isinstance(ctx.command, click.Group)
    return _advice(name, [*ctx.command.list_commands(ctx), *_options(ctx)], ctx)


def _options(ctx: click.Context) -> list[str]:
    return [name for parameter in ctx.command.get_params(ctx) for name in parameter.opts if name.startswith("--")]


def _advice(word: str, known: Iterable[str], ctx: click.Context) -> str:
    from facecli.hosting.neighbours import alike  # imports the models' store, for a message alone

    bare = {name.lstrip("-"): name for name in known}
    close = alike(word.lstrip("-"), bare, 1)
    return f"did you mean {bare[close[0]]}?" if close else f"see `{ctx.command_path} --help`"
