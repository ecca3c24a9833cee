"""`facecli gallery migrate`: a gallery to another recognizer."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathered


@manual.command(
    examples=("gallery migrate --recognizer dlib-resnet", "gallery migrate --recognizer sface --pictures moved/ --json")
)
@options.gallery_option
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="Where the pictures lie now, under any names.  [default: where they were]",
)
@click.option("--from-crops", is_flag=True, help="Embed the crops that `enroll --crops` kept, instead of pictures.")
@click.option(
    "--partial", is_flag=True, help="Switch even if some faces could not be embedded, which nobody finds then."
)
@options.dry_run_option
@options.recognizer_options
@options.detector_options
@options.limit_options
@options.run_options
@options.output_options
@gathered
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    gallery: Path | None,
    pictures: Path | None,
    from_crops: bool,
    partial: bool,
    dry_run: bool,
) -> int:
    """Embed a gallery's faces anew, with another recognizer or detector, from their pictures.

    The old embeddings stay in use until the new ones are complete; then the gallery switches at once. A run that was
    interrupted is finished by starting it again. --dry-run tells which pictures, or crops, are there and which are
    missing; it does not look for faces in them.
    """
    from facecli.cli import context, galleries, progress
    from facecli.cli.wording import option
    from facecli.errors import UsageError
    from facecli.gallery.migration import rehearse
    from facecli.gallery.store import spaces
    from facecli.output import galleries as shown
    from facecli.output import records

    if from_crops and pictures is not None:
        message = "{from_crops} and {pictures} exclude each other"
        raise UsageError(message, hint="give one of them", about=("from_crops", "pictures"))
    sink = context.open_sink(output)
    with sink.opened(), galleries.rehearsed(gallery, dry_run=dry_run) as path:
        opened = galleries.open_gallery(path, plugins, running, reading, inputs=None)
        store = opened.store()
        if dry_run:
            number = spaces.begin(store, opened.space())
            outcomes = rehearse(store, number, pictures, opened.flow().limits, from_crops=from_crops)
        else:
            number, outcomes = opened.migrating(pictures, from_crops=from_crops)
        pending = (spaces.pending_faces if from_crops else spaces.pending)(store, number)
        crops = spaces.pending_crops(store, number)
        done = list(progress.reporting_errors(outcomes, output, len(pending)))
        failed = [
            {"source": outcome.source, "error": records.error(outcome.error, option)}
            for outcome in done
            if outcome.error is not None
        ]
        switched = not dry_run and spaces.switch(store, number, partial=partial)
        counts = {"pictures": len(done), "faces": sum(outcome.faces for outcome in done), "crops": crops}
        document = shown.migrated(store, counts, failed, switched=switched, dry_run=dry_run)
        document["gallery"]["path"] = str(galleries.gallery_path(gallery))  # in a rehearsal it is a copy
        opened.close()
    sink.document(document, [counts | {"failed": len(failed), "switched": switched, "dry_run": dry_run}])
    return 0 if switched or (dry_run and (partial or not failed)) else 1
