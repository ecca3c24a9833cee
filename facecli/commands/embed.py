"""`facecli embed`: faces as vectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from facecli.cli import options
from facecli.cli.settings import Settings


@click.command()
@options.input_options
@options.recognizer_options
@options.detector_options
@options.preset_option
@options.no_detect_option
@options.face_option("all")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the embeddings to FILE (.npz, .npy or .parquet) and leave them out of stdout.",
)
@options.limit_options
@options.run_options
@options.output_options
def command(inputs: tuple[str, ...], output: Path | None, **kwargs: Any) -> int:
    """Turn each face into an embedding (a vector).

    Each carries the model's id, sha256 and preprocessing version: embeddings of different ones can not be compared.
    """
    settings = Settings(**kwargs)

    from facecli.cli import context, preset, progress, wiring
    from facecli.cli.inputs import count_inputs, open_sources
    from facecli.output import records
    from facecli.output.rows import CSV_COLUMNS, csv_rows, embedding_columns, table_rows

    settings = preset.applied(settings, "detector", "recognizer")

    sink = context.open_output(settings)
    total = count_inputs(inputs, settings)
    with sink.opened():
        tools = wiring.open_toolbox(settings, inputs=total)
        pipeline = wiring.open_pipeline(tools, settings, inputs=total)
        collector = _open_collector(output)
        sources = open_sources(inputs, settings)
        failed = False

        def results() -> Iterator[dict[str, Any]]:
            nonlocal failed
            for result in progress.told(pipeline.run(sources), settings, total):
                failed |= result.error is not None
                if collector is not None:
                    collector.add(result)
                yield records.image(result, embeddings=collector is None)
            if collector is not None:
                collector.write(header)  # here, so that a failure is told in the document

        assert tools.recognizer_plugin is not None
        recognizer = records.described(tools, tools.recognizer_plugin)
        assert recognizer is not None
        recognizer |= {"dim": tools.recognizer_plugin.dim, "normalized": tools.recognizer_plugin.normalized}
        detector = records.described(tools, tools.detector_plugin)
        header = records.header("embed", detector=detector, recognizer=recognizer, **preset.named(settings))
        identity = records.identity(recognizer)
        values = [] if collector is not None else embedding_columns(recognizer["dim"])
        sink.stream(
            header,
            "images",
            results(),
            [*CSV_COLUMNS, *identity, *values],
            lambda record: [row | identity for row in csv_rows(record)],
            table_rows,
        )
    return 1 if failed else 0


def _open_collector(output: Path | None) -> Any:
    if output is None:
        return None
    from facecli.output.embeddings_file import EmbeddingsFile

    return EmbeddingsFile(output)
