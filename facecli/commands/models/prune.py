"""`facecli models prune`: delete what was left behind in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facecli.cli import manual, options
from facecli.cli.settings import gathered

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings


@manual.command(examples=("models prune", "models prune --json"))
@options.output_options
@gathered
def command(output: OutputSettings) -> None:
    """Delete what no model needs.

    Transfers that were cut, temporary files, and files of no model that is known. Installed models stay.
    """
    from facecli.cli import context
    from facecli.inventory.known import all_models
    from facecli.models.removal import prune
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        files = prune(context.open_store(), all_models(context.registry()))
    rows = [{"path": str(file.path), "size": file.size, "what": file.what} for file in files]
    sink.document(records.header("models.prune", files=rows, freed=sum(file.size for file in files)), rows)
