"""`facecli doctor`: would it run here, on what, and if not, why."""

from __future__ import annotations

from typing import Any

import click

from facecli.cli import options
from facecli.cli.settings import Settings
from facecli.inventory.health import _models, _nodes, _packages, _plugins, _runtime, _survived


@click.command()
@options.device_options
@click.option(
    "--strict", is_flag=True, help="Profile a run of each embedded model; no node of weight may slip to the CPU."
)
@options.output_options
def command(strict: bool, **kwargs: Any) -> int:
    """Check whether it would run here, and on what.

    ONNX Runtime, device, plugins, and each model by its hash and self-test. Exits with 4 if something is not well.
    """
    from facecli.cli import context, wiring
    from facecli.output import records

    settings = Settings(**kwargs)
    sink = context.open_output(settings)
    with sink.opened():
        tuning = wiring.open_tuning(settings, context.open_store())
        parts = {
            "packages": _packages(),
            "runtime": _runtime(settings.device, tuning),
            "nodes": _nodes(settings.device, tuning) if strict else iter(()),
            "plugins": _plugins(),
            "models": _models(),
        }
        checks = [check for part, found in parts.items() for check in _survived(part, found)]
    rows = [{"check": what, "ok": ok, "found": found} for what, ok, found in checks]
    sink.document(records.header("doctor", healthy=all(ok for _, ok, _ in checks), checks=rows), rows)
    return 0 if all(ok for _, ok, _ in checks) else 4
