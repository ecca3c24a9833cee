"""`facecli plugins list`: every plugin that is found, and which of them are broken."""

from __future__ import annotations

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("plugins list", "plugins list --long"))
@options.long_option
@options.output_options
@gathered
def command(output: OutputSettings, *, long: bool) -> None:
    """Every plugin found, ours and others'; a broken one with the reason and its distribution."""
    from facecli.cli import context, progress
    from facecli.cli.inspection import inspector
    from facecli.output import plugins, records

    sink = context.open_sink(output)
    inspection = inspector()
    with sink.opened():
        rows = [plugins.summary(plugin) for plugin in inspection.inspect_all()]
    unreadable = inspection.registry.unreadable
    for error in unreadable:
        progress.report_error("plugins", error)
    messages = [error.message for error in unreadable]
    document = records.header("plugins.list", plugins=rows, unreadable=messages)
    sink.document(document, rows, table=rows if long else plugins.brief(rows))
