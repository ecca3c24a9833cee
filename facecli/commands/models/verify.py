"""`facecli models verify`: whether the files of the models are what they should be, and compute what they should."""

from __future__ import annotations

from typing import Any

import click

from facecli.cli import options, settings
from facecli.models.selftests.asking import verified


@click.command()
@click.argument("names", nargs=-1)
@options.output_options
def command(names: tuple[str, ...], **kwargs: Any) -> None:
    """Hash the files of installed models in full, and run their self-tests.

    Of all, or of NAMES. A self-test is what a file answered to a fixed input: those that came with facecli have been
    tested before, others when they came in, or now if they have none yet.
    """
    from facecli.cli import context
    from facecli.errors import ModelError
    from facecli.inventory import known
    from facecli.output import records

    sink = context.open_output(settings.Settings(**kwargs))
    with sink.opened():
        store = context.open_store()
        specs = known.find_all(names) if names else known.every()
        rows = [row for spec in specs for row in verified(spec, store)]
    rows = [row for row in rows if names or row["state"] != "absent"]
    sink.document(records.header("models.verify", files=rows), rows)
    bad = [row for row in rows if row["state"] != "ok"]
    if bad:
        files, models = ", ".join(row["file"] for row in bad), " ".join(dict.fromkeys(row["model"] for row in bad))
        hint = f"facecli models pull {models}; what came with facecli, reinstall; what you exported, export again"
        if any(row["state"] == "wrong answer" for row in bad):
            hint = f"{hint}; for a wrong answer of a whole file: models rm first, which forgets what it answered"
        raise ModelError(f"not as they should be: {files}", hint=hint)
