"""Writes docs/cli-reference.md from what the commands say of themselves: python docs/make_cli_reference.py

tests/test_docs.py makes the page again and compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from facecli.cli import manual
from facecli.cli.group import group

PAGE = Path(__file__).with_name("cli-reference.md")
WIDTH = 100
HEAD = """\
# Command line reference

Made by `docs/make_cli_reference.py` from `--help-all`; do not edit. `docs/make_man_pages.py FOLDER` makes manual pages. Exit codes, formats and the keys of every output are in
[output.md](output.md).
"""
VARIABLES = """\
## Environment variables

An option on the command line wins over its variable. A flag is switched on by `1`.

| variable | stands for |
|---|---|
"""
# Read elsewhere than by an option.
OTHERS = {
    "FACECLI_HOME": "the folder of the model store, instead of the user's data folder",
    "FACECLI_MODELS_MIRROR": "a folder or a URL where model files are looked for first, by name",
}


def page() -> str:
    """The whole page."""
    root = click.Context(group, info_name="facecli", terminal_width=WIDTH, **group.context_settings)
    root.params["no_plugins"] = True  # only what every installation has
    root.meta[manual.ALL] = True
    contexts = list(_contexts(root))
    parts = [HEAD, *(_section(ctx) for ctx in contexts), VARIABLES + _variables(contexts)]
    return "\n".join(parts)


def _contexts(ctx: click.Context) -> Iterator[click.Context]:
    yield ctx
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            assert command is not None, name
            yield from _contexts(click.Context(command, info_name=name, parent=ctx, terminal_width=WIDTH))


def _section(ctx: click.Context) -> str:
    return f"## {ctx.command_path}\n\n```text\n{ctx.command.get_help(ctx)}\n```\n"


def _variables(contexts: list[click.Context]) -> str:
    options: dict[str, set[str]] = {}
    for ctx in contexts:
        for option in ctx.command.params:
            if isinstance(option.envvar, str):
                options.setdefault(option.envvar, set()).add(max(option.opts, key=len))
    rows = OTHERS | {name: ", ".join(f"`{option}`" for option in sorted(found)) for name, found in options.items()}
    return "".join(f"| `{name}` | {meaning} |\n" for name, meaning in sorted(rows.items()))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stderr.write(f"wrote {PAGE}\n")
