"""`facecli gallery remove`: forget people."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=('gallery remove "Ada Lovelace" --receipt receipt.json', "gallery remove ada --dry-run"))
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.gallery_option
@click.option(
    "--receipt",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what was removed, and that no byte of it is left, into FILE.",
)
@options.yes_option
@options.dry_run_option
@options.output_options
@gathered
def command(
    output: OutputSettings,
    names: tuple[str, ...],
    gallery: Path | None,
    receipt: Path | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Forget people: their faces, embeddings and names.

    The file is written anew, and afterwards every file of the gallery is searched for bytes of what was removed. This
    can not be undone, and nothing before it. Backups and exports are yours to delete.
    """
    from facecli.cli import context, galleries
    from facecli.gallery.store import forgetting
    from facecli.output import galleries as shown
    from facecli.output import records
    from facecli.system.files import check_writable

    sink = context.open_sink(output)
    with sink.opened():
        if receipt is not None:
            check_writable(receipt)
        store = galleries.open_store(gallery)
        people = list({person.id: person for person in map(store.person, names)}.values())
        if not dry_run:
            galleries.confirm(f"forget {', '.join(person.name for person in people)} for good", yes=yes)
            removed = forgetting.remove(store, people)
            document = shown.receipt(store, removed)
            if receipt is not None:
                shown.write(receipt, document)
        else:
            faces, templates, pictures = forgetting.count(store, people)
            counts = {"faces": faces, "templates": templates, "pictures": pictures}
            uids = [person.uid for person in people]
            parts = {"dry_run": True, "people": uids, **counts, "checked": None}
            document = records.header("gallery.remove", gallery=shown.gallery(store), **parts)
        store.close()
    sink.document(document, [{key: document[key] for key in ("faces", "templates", "pictures", "dry_run")}])
