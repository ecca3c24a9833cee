"""`facecli completion`: the code by which a shell completes facecli's command lines."""

from __future__ import annotations

import click

from facecli.cli import manual
from facecli.cli.completing import SHELLS


@manual.command(
    examples=(
        "completion bash > ~/.local/share/bash-completion/completions/facecli",
        "completion fish > ~/.config/fish/completions/facecli.fish",
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the code that lets a shell complete commands, options, and names of plugins and models.

    For bash or zsh, put `eval "$(facecli completion bash)"` (or zsh) into the file that the shell starts with; for
    fish, write the output to ~/.config/fish/completions/facecli.fish.
    """
    import sys

    from facecli.cli import completing
    from facecli.cli.group import group

    sys.stdout.write(completing.script(group, shell))
