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
) -> int:
    """Embed a gallery's faces anew, with another recognizer or detector, from their pictures.

    The old embeddings stay in use until the new ones are complete; then the gallery switches at once. A run that was
    interrupted is finished by starting it again.
    """
    from facecli.cli import context, galleries, progress
    from facecli.cli.wording import option
    from facecli.errors import UsageError
    from facecli.gallery.store import spaces
    from facecli.output import galleries as shown
    from facecli.output import records

    if from_crops and pictures is not None:
        message = "{from_crops} and {pictures} exclude each other"
        raise UsageError(message, hint="give one of them", about=("from_crops", "pictures"))
    sink = context.open_sink(output)
    with sink.opened():
        opened = galleries.open_gallery(gallery, plugins, running, reading, inputs=None)
        store = opened.store()
        number, outcomes = opened.migrating(pictures, from_crops=from_crops)
        pending = (spaces.pending_faces if from_crops else spaces.pending)(store, number)
        done = list(progress.reporting_errors(outcomes, output, len(pending)))
        failed = [
            {"source": outcome.source, "error": records.error(outcome.error, option)}
            for outcome in done
            if outcome.error is not None
        ]
        switched = spaces.switch(store, number, partial=partial)
        faces = sum(outcome.faces for outcome in done)
        document = shown.migrated(store, len(done), faces, failed, switched=switched)
        opened.close()
    sink.document(document, [{"pictures": len(done), "faces": faces, "failed": len(failed), "switched": switched}])
    return 0 if switched else 1
