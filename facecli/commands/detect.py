"""`facecli detect`: where the faces are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from facecli.cli import options
from facecli.cli.settings import Settings


@click.command()
@options.input_options
@options.detector_options
@options.preset_option
@options.face_option("all")
@click.option(
    "--crops", type=click.Path(path_type=Path, file_okay=False), help="Write each face's crop into this folder."
)
@click.option(
    "--crops-for", default="dlib-resnet", metavar="RECOGNIZER", help="Cut the crops as this recognizer wants them."
)
@options.annotate_option
@options.limit_options
@options.run_options
@options.output_options
def command(inputs: tuple[str, ...], crops: Path | None, crops_for: str, annotate: Path | None, **kwargs: Any) -> int:
    """Find faces: bbox, score and landmarks of each."""
    settings = Settings(**kwargs)

    from facecli.cli import context, preset, progress, wiring
    from facecli.cli.inputs import count_inputs, face_writers, open_sources
    from facecli.output import records, rows

    settings = preset.applied(settings, "detector")

    output = context.open_output(settings)
    total = count_inputs(inputs, settings)
    with output.opened():
        writers = face_writers(settings, crops, crops_for, annotate, many=total != 1)
        tools = wiring.open_toolbox(settings, inputs=total)
        pipeline = wiring.open_pipeline(tools, settings, inputs=total, need_face=False, keep_image=bool(writers))
        sources = open_sources(inputs, settings)
        failed = False

        def results() -> Iterator[dict[str, Any]]:
            nonlocal failed
            for result in progress.told(pipeline.run(sources), settings, total):
                done, files = progress.write_pictures(result, writers)
                failed |= done.error is not None
                yield records.image(done) | ({"written": files} if writers else {})

        detector = records.described(tools, tools.detector_plugin)
        header = records.header("detect", detector=detector, **preset.named(settings))
        output.stream(header, "images", results(), rows.CSV_COLUMNS, rows.csv_rows, rows.table_rows)
    return 1 if failed else 0
