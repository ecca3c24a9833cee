"""`facecli doctor`: would it run here, on what, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from facecli.cli import manual, options
from facecli.cli.settings import gathered

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings, RunSettings

UNWELL = 4  # exit code


@manual.command(examples=("doctor", "doctor --device cuda"))
@options.device_options
@click.option(
    "--strict", is_flag=True, help="Profile a run of each embedded model; no node of weight may slip to the CPU."
)
@options.output_options
@gathered
def command(strict: bool, running: RunSettings, output: OutputSettings) -> int:
    """Check whether it would run here, and on what.

    ONNX Runtime, device, plugins, and each model by its hash and self-test. Exits with 4 if something is not well.
    """
    from facecli.cli import context, wiring
    from facecli.cli.inspection import inspector
    from facecli.cli.wording import option
    from facecli.inventory.health import Examination
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        store = context.open_store()
        tuning = wiring.open_tuning(running, store)
        checks = Examination(inspector(), store, running.device, tuning).run(strict=strict)
    healthy = all(check.ok for check in checks)
    rows = [{"check": check.subject, "ok": check.ok, "found": check.text(option)} for check in checks]
    sink.document(records.header("doctor", healthy=healthy, checks=rows), rows)
    return 0 if healthy else UNWELL
