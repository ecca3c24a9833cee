"""`facecli gallery import`: faces of another gallery."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facecli.cli import manual, options, values
from facecli.cli.settings import OutputSettings, gathered

if TYPE_CHECKING:
    from facecli.gallery.admission import Enrolled
    from facecli.gallery.store.exchange import Imported
    from facecli.gallery.store.store import GalleryStore


@manual.command(examples=("gallery import people.npz --gallery new.db --json", "gallery import job/"))
@click.argument("file", type=values.FileOrUrl(exists=True), metavar="FILE|FOLDER")
@options.gallery_option
@options.dry_run_option
@options.output_options
@gathered
def command(output: OutputSettings, file: str, gallery: Path | None, dry_run: bool) -> int:
    """Add the people and faces of FILE, which `facecli gallery export` wrote. What is known already stays as it is.

    Or add those of FOLDER, which `facecli embed people/ -o FOLDER/` has filled, with each face of the person whose
    folder its picture lies in, as `facecli enroll FOLDER` does; it may be a URL, such as s3://bucket/out/.

    The embeddings must be of the gallery's recognizer and detector; a gallery that does not exist is made.
    """
    from facecli.cli import context, galleries, progress
    from facecli.cli.wording import option
    from facecli.gallery.store.store import GalleryStore
    from facecli.output import galleries as shown
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened(), galleries.rehearsed(gallery, dry_run=dry_run, create=True) as path:
        added = known = 0
        rejected = []
        with _opened(file) as added_to:
            store = GalleryStore(path, create=True)
            for done in added_to(store):
                added, known = added + done.added, known + done.known
                for source, error in done.rejected:
                    progress.report_error(source, error)
                    rejected.append({"source": source, "error": records.error(error, option)})
        own = shown.gallery(store) | {"path": str(galleries.gallery_path(gallery))}  # in a rehearsal it is a copy
        parts = {"dry_run": dry_run, "added": added, "known": known, "rejected": rejected}
        document = records.header("gallery.import", gallery=own, **parts)
        store.close()
    sink.document(document, [{"added": added, "known": known, "rejected": len(rejected), "dry_run": dry_run}])
    return 1 if rejected else 0


@contextmanager
def _opened(file: str) -> Iterator[Callable[[GalleryStore], Iterable[Imported]]]:
    """Give what adds the faces of an exported file, or of a job, to a gallery, and tells what became of them."""
    from facecli.gallery import jobs, labelling
    from facecli.gallery.store import exchange, exchange_files
    from facecli.matching import stored_job

    if stored_job.is_job(file):
        job = stored_job.opened(file)
        label = labelling.of_job(job.inputs)
        yield lambda store: map(_imported, jobs.enroll(job.read(), store, label, how="import"))
        return
    with exchange_files.opened(Path(file)) as contents:
        yield lambda store: (exchange.add(store, contents),)


def _imported(one: Enrolled) -> Imported:
    from facecli.gallery.store.exchange import Imported

    rejected = () if one.error is None else ((one.source, one.error),)
    return Imported(int(one.status == "added"), int(one.status in ("known", "not_this_person")), rejected)
