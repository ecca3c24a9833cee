"""Writes a manual page for each command into a folder: python docs/make_man_pages.py ~/.local/share/man/man1

The pages have what `--help-all` has, in roff's macros `man` (man 7). tests/cli/test_manual.py makes them, too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from facecli.cli import manual
from facecli.cli.group import group
from facecli.version import __version__


def pages() -> Iterator[tuple[str, str]]:
    """The pages of all commands, each with the name of its file."""
    root = click.Context(group, info_name="facecli", **group.context_settings)
    root.params["no_plugins"] = True  # only what every installation has
    root.meta[manual.ALL] = True
    for ctx in _contexts(root):
        yield f"{ctx.command_path.replace(' ', '-')}.1", _page(ctx)


def _contexts(ctx: click.Context) -> Iterator[click.Context]:
    yield ctx
    for name, command in _commands(ctx):
        yield from _contexts(click.Context(command, info_name=name, parent=ctx))


def _commands(ctx: click.Context) -> Iterator[tuple[str, click.Command]]:
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            assert command is not None, name
            yield name, command


def _page(ctx: click.Context) -> str:
    command, name = ctx.command, ctx.command_path.replace(" ", "-")
    first, *others = (command.help or "").split("\n\n")
    usage = " ".join(command.collect_usage_pieces(ctx))
    parts = [
        f'.TH "{name.upper()}" 1 "" "facecli {__version__}"',
        _section("NAME", f"{name} \\- {_text(first).rstrip('.')}"),
        _section("SYNOPSIS", f".B {_text(ctx.command_path)}\n{_text(usage)}"),
        _section("DESCRIPTION", "\n.PP\n".join(map(_text, (first, *others)))),
    ]
    if isinstance(command, manual.Command):
        parts += [_section(title, _list(manual.records(ctx, own))) for title, own in command.sections(ctx).items()]
        lines = (f".PP\n.nf\nfacecli {_text(example)}\n.fi" for example in command.examples)
        parts.append(_section("EXAMPLES", "\n".join(lines)))
    else:
        options = [option for option in command.get_params(ctx) if isinstance(option, click.Option)]
        parts.append(_section("OPTIONS", _list(manual.records(ctx, options))))
        parts.append(_section("COMMANDS", _list((sub, own.get_short_help_str(200)) for sub, own in _commands(ctx))))
    return "\n".join(parts)


def _section(title: str, text: str) -> str:
    return f".SH {title.upper()}\n{text}"


def _list(records: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f".TP\n.B {_text(term)}\n{_text(text)}" for term, text in records)


def _text(text: str) -> str:
    """A text in one line, whose backslashes, hyphens and leading dots are no commands of roff."""
    line = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{line}" if line.startswith((".", "'")) else line


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in pages():
        (folder / file).write_text(f"{text}\n", "utf-8")
    sys.stderr.write(f"wrote {folder}\n")
