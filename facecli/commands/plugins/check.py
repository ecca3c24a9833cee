"""`facecli plugins check`: the conformance kit, run on one plugin."""

from __future__ import annotations

import click

from facecli.cli import completing, manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("plugins check yunet", "plugins check mine --picture portrait.jpg"))
@click.argument("name", shell_complete=completing.plugins)
@click.option("--picture", metavar="FILE", help="A picture with a face to check with; one is made up otherwise.")
@options.output_options
@gathered
def command(output: OutputSettings, name: str, picture: str | None) -> int:
    """Run the conformance kit on a plugin."""
    from facecli.cli import context
    from facecli.contract.plugin import PLUGINS
    from facecli.errors import UsageError
    from facecli.hosting.problems import named
    from facecli.output import records
    from facecli.pictures import codec
    from facecli.pictures.sources import single
    from facecli.system.streams import print_error
    from facecli.testing import run_checks, run_engine_checks
    from facecli.types import Limits

    sink = context.open_sink(output)
    with sink.opened():
        registry = context.registry()
        kinds = {entry.kind for entry in named(registry, name)}
        entries = [registry.entry(kind, name) for kind in sorted(kinds.intersection((*PLUGINS, "engines")))]
        if not entries:
            models = [entry.name for entry in registry.entries("attributes") if entry.name.startswith(f"{name}/")]
            hint = f"did you mean {' or '.join(models)}?" if models else "these are what the kit checks"
            raise UsageError(f"{name} is no detector, recognizer, attribute model, tracker or engine", hint=hint)
        face = codec.decode(single(picture).read(Limits()), picture, Limits()) if picture else None
        results = [
            (entry, check)
            for entry in entries
            for check in (
                run_engine_checks(entry.name)
                if entry.kind == "engines"
                else run_checks(entry.name, entry.kind, picture=face)
            )
        ]
    rows = [
        {"kind": entry.kind, "check": check.name, "passed": check.passed, "detail": check.detail}
        for entry, check in results
    ]
    failed = sum(not check.passed for _, check in results)
    sink.document(records.header("plugins.check", plugin=name, passed=not failed, checks=rows), rows)
    verdict = f"{failed} of {len(results)} checks failed" if failed else f"all {len(results)} checks passed"
    print_error(f"{name}: {verdict}")
    return 1 if failed else 0
