"""`facecli gallery list`: everybody in a gallery."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("gallery list", "gallery list --sort templates --gallery staff.db --json"))
@options.gallery_option
@click.option(
    "--sort",
    type=click.Choice(("name", "templates", "pictures", "created")),
    default="name",
    help="By name; by numbers, the most first; by the time of their first enrolment, the newest first.",
)
@options.output_options
@gathered
def command(output: OutputSettings, gallery: Path | None, sort: str) -> None:
    """List the people of a gallery."""
    from facecli.cli import context, galleries
    from facecli.output import galleries as shown
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        store = galleries.open_store(gallery)
        people = store.people()
        if sort != "name":
            people.sort(key=lambda person: (getattr(person, sort), person.id), reverse=True)
        document = records.header("gallery.list", gallery=shown.gallery(store), people=list(map(shown.person, people)))
        store.close()
    sink.document(document, map(shown.person_row, people))
