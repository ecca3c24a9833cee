"""`facecli embed`: faces as vectors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from facecli.cli import manual, options
from facecli.cli.settings import InputSettings, JobSettings, OutputSettings, PluginSettings, RunSettings, gathered

if TYPE_CHECKING:
    from facecli.pipeline.results import ImageResult


RECORDS = (".json", ".jsonl", ".csv")  # files of all results; others hold embeddings alone


@manual.command(examples=("embed portraits/ -o faces.npz", "embed a.jpg --recognizer dlib-resnet --json"))
@options.input_options
@options.recognizer_options
@options.detector_options
@options.preset_option
@options.no_detect_option
@options.face_option("all")
@options.require_face_option
@options.job_output_option(
    "Write the embeddings to FILE (.npz, .npy or .parquet), or all results (.json, .jsonl or .csv); nothing to stdout."
)
@options.limit_options
@options.run_options
@options.job_options
@options.format_options
@gathered
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    job: JobSettings,
) -> int:
    """Turn each face into an embedding (a vector).

    Each carries the model's id, sha256 and preprocessing version: embeddings of different ones can not be compared.
    """
    from facecli.cli import scaling

    if output.folder is not None:
        question = scaling.Question("embed", embed=True)
        return scaling.answer(question, reading, plugins, running, output, job)
    scaling.refuse_without_folder(job)

    from facecli.api.selection import Request
    from facecli.cli import context, inputs, streaming, wiring
    from facecli.cli.wording import option
    from facecli.system.streams import print_error

    file = output.path if output.path is not None and output.path.suffix.lower() not in RECORDS else None
    sink = context.open_sink(output if file is None else replace(output, path=None), silent=file is not None)
    total = inputs.count_inputs(reading)
    with sink.opened():
        faces = wiring.open_faces(plugins, running, reading, inputs=total)
        request = Request(embed=True)
        tools = faces.engine.tools(request)

        # Imported while the models load in their threads.
        from facecli.output import records, rows
        from facecli.output.embeddings_file import EmbeddingsFile
        from facecli.output.overwriting import OutputPaths

        collector = None if file is None else EmbeddingsFile(file)
        sources = inputs.open_sources(reading, OutputPaths(output=file))
        detector, recognizer = records.described(tools, tools.detector_plugin), records.embedder(tools)
        header = records.header("embed", detector=detector, recognizer=recognizer) | plugins.named_preset
        identity, columns = records.identity(recognizer), rows.csv_columns(rotated=plugins.looks_around)

        def record(result: ImageResult) -> dict[str, Any]:
            if collector is not None:
                collector.add(result)
            return records.image(result, embeddings=collector is None, wording=option)

        def store() -> None:
            assert collector is not None
            collector.write(header)
            if not output.quiet:
                print_error(f"wrote {collector.count} embeddings of {collector.pictures} pictures to {file}")

        shown = streaming.Presentation(
            header=header,
            record=record,
            columns=[*columns, *identity, *([] if collector else rows.embedding_columns(recognizer["dim"]))],
            csv_rows=lambda one: [row | identity for row in rows.csv_rows(one)],
            finish=None if collector is None else store,
            remarks=True,
        )
        flow = faces.engine.flow(request, plugins.face, need_face=plugins.require_face)
        pictures = faces.engine.stream(request, sources, flow)
        return streaming.stream(sink, pictures, shown, output, total=inputs.total(reading))
