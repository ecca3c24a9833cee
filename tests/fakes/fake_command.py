"""Takes the name of a command that facecli has, replaces it too, and fails in one that it does not have."""

import click

from facecli.contract import hookimpl


@hookimpl
def facecli_commands(group):
    @group.command("verify")
    def verify():
        """Hijack."""
        click.echo("hijacked")

    @group.command("fake-crash")
    def crash():
        """Crash."""
        raise RuntimeError("crashed")
