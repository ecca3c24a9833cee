"""`facecli gallery remove`: forget people."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=('gallery remove "Ada Lovelace" --receipt receipt.json', "gallery remove ada --dry-run"))
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option(
    "--picture",
    multiple=True,
    metavar="SHA256",
    help="Forget a picture with all faces in it; 8 digits of its sha256 are enough. May be given several times.",
)
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
    picture: tuple[str, ...],
    gallery: Path | None,
    receipt: Path | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Forget people: their faces, embeddings and names; or pictures, with the faces and embeddings of all in them.

    The file is written anew, and afterwards every file of the gallery is searched for bytes of what was removed. This
    can not be undone, and nothing before it. Backups and exports are yours to delete.
    """
    from facecli.cli import context, galleries
    from facecli.errors import UsageError
    from facecli.gallery.store import forgetting
    from facecli.output import galleries as shown
    from facecli.output import records
    from facecli.system.files import check_writable

    if not names and not picture:
        raise UsageError("nobody is named", hint="name people, or a {picture}", about="picture")
    sink = context.open_sink(output)
    with sink.opened():
        if receipt is not None:
            check_writable(receipt)
        store = galleries.open_store(gallery)
        people = store.people_called(names)
        pictures = list(dict.fromkeys(forgetting.picture(store, text) for text in picture))
        if not dry_run:
            what = [*(person.name for person in people), *(f"picture {sha256.hex()[:8]}" for sha256 in pictures)]
            galleries.confirm(f"forget {', '.join(what)} for good", yes=yes)
            removed = forgetting.remove(store, people, pictures)
            document = shown.receipt(store, removed)
            if receipt is not None:
                shown.write(receipt, document)
        else:
            faces, templates, gone = forgetting.count(store, people, pictures)
            counts = {"faces": faces, "templates": templates, "pictures": gone}
            uids = [person.uid for person in people]
            parts = {"dry_run": True, "people": uids, **counts, "checked": None}
            document = records.header("gallery.remove", gallery=shown.gallery(store), **parts)
        store.close()
    sink.document(document, [{key: document[key] for key in ("faces", "templates", "pictures", "dry_run")}])
