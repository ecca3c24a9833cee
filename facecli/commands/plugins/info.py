"""`facecli plugins info`: what one plugin is, needs and takes."""

from __future__ import annotations

import click

from facecli.cli import completing, manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(
    help="What a plugin is, what it needs and which parameters it takes.",
    examples=("plugins info yunet", "plugins info sface --json"),
)
@click.argument("name", shell_complete=completing.plugins)
@options.output_options
@gathered
def command(output: OutputSettings, name: str) -> None:
    """Write the details of every plugin of a name; a broken one has its problem among them."""
    from facecli.cli import context
    from facecli.cli.inspection import inspector
    from facecli.output import plugins, records

    sink = context.open_sink(output)
    with sink.opened():
        inspections = inspector().inspect_named(name)
    rows = [row for inspection in inspections for row in plugins.detail_rows(inspection)]
    sink.document(records.header("plugins.info", plugins=list(map(plugins.detail, inspections))), rows)
