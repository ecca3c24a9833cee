"""`facecli models verify`: whether the files of the models are what they should be, and compute what they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from facecli.cli import completing, manual, options
from facecli.cli.settings import gathered

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings
    from facecli.errors import ModelError
    from facecli.models.selftests.asking import VerifiedFile


@manual.command(examples=("models verify", "models verify sface --json"))
@click.argument("names", nargs=-1, shell_complete=completing.models)
@options.output_options
@gathered
def command(names: tuple[str, ...], output: OutputSettings) -> None:
    """Hash the files of installed models in full, and run their self-tests.

    Of all, or of NAMES. A self-test is what a file answered to a fixed input: those that came with facecli have been
    tested before, others when they came in, or now if they have none yet.
    """
    from facecli.cli import context
    from facecli.inventory.known import all_models, find_models
    from facecli.models.selftests.asking import verify
    from facecli.output import records

    sink, registry = context.open_sink(output), context.registry()
    with sink.opened():
        store = context.open_store()
        specs = find_models(names, registry) if names else all_models(registry)
        files = [file for spec in specs for file in verify(store, spec)]
    files = [file for file in files if names or file.state != "absent"]
    rows = [
        {"model": file.model, "file": file.name, "state": file.state, "selftest_difference": file.difference}
        for file in files
    ]
    sink.document(records.header("models.verify", files=rows), rows)
    bad = [file for file in files if file.state != "ok"]
    if bad:
        raise _failure(bad)


def _failure(bad: list[VerifiedFile]) -> ModelError:
    from facecli.errors import ModelError

    names, models = ", ".join(file.name for file in bad), " ".join(dict.fromkeys(file.model for file in bad))
    hint = f"facecli models pull {models}; what came with facecli, reinstall; what you exported, export again"
    if any(file.state == "wrong answer" for file in bad):
        hint = f"{hint}; for a wrong answer of a whole file: models rm first, which forgets what it answered"
    return ModelError(f"not as they should be: {names}", hint=hint)
